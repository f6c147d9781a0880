"""What the team hears: failed mail, money taken back; what blocked customers hear; and what the checklist names."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from common.ids import encode_id, new_id
from common.testing.plugin import ApiClient
from contracts.notifications import NotificationFailed
from notifications.messages.publishes import notification_failed
from notifications.models import Notification

Example = Callable[..., Any]


def fail(post: Any, example: Example, name: str = "Ada") -> NotificationFailed:
    """A receipt for somebody without an address; returns what the service says about it."""
    member = str(new_id())
    post.send(example("member-changed", member_id=member, email=None, billing={}, display_name=name))
    customer = {"member_id": member, "company_id": None, "name": name, "email": None, "language": None}
    post.send(example("payment-succeeded", customer=customer, payment_id=str(new_id())))
    return notification_failed(post.rows(Notification, Notification.state == "failed")[-1])


def alerts(post: Any, template: str) -> list[Any]:
    return post.rows(Notification, Notification.template == template)


def test_failed_mails_of_an_hour_are_one_alert_that_waits_for_the_hours_end(live: Any, example: Example) -> None:
    facts = [fail(live, example, name) for name in ("Ada", "Grace", "Edsger")]
    with ThreadPoolExecutor(3) as pool:
        assert all(outcome.settled for outcome in pool.map(live.send, facts * 2))
    found = alerts(live, "notification-failed")
    assert len(found) in {1, 2}, "two when the hour ends in between"
    text = "".join(row.text for row in found)
    assert all(f"To: {name}" in text for name in ("Ada", "Grace", "Edsger"))
    assert text.count("Reason: no e-mail address is known") == 3
    assert all(timedelta() < row.due_at - row.created_at <= timedelta(hours=1) for row in found)
    assert {(row.due_at.minute, row.due_at.second) for row in found} == {(0, 0)}
    assert {row.recipient for row in found} == {"desk@harbour.example"}


def test_the_alert_of_one_failure_names_it(rehearsal: Any, example: Example) -> None:
    rehearsal.send(fail(rehearsal, example))
    (row,) = alerts(rehearsal, "notification-failed")
    assert row.subject == "A mail did not arrive"
    assert "Receipt: €45.00 received" in row.text
    assert "/admin/notifications?state=failed" in row.text


def test_many_failures_are_counted_and_twenty_of_them_named(rehearsal: Any, example: Example) -> None:
    for number in range(22):
        rehearsal.send(fail(rehearsal, example, f"Member {number:02}"))
    (row,) = alerts(rehearsal, "notification-failed")
    assert row.subject == "22 mails did not arrive"
    assert row.text.count("To: Member") == 20
    assert "And 2 more." in row.text


def test_a_failure_after_the_hours_alert_has_left_has_its_own(live: Any, example: Example) -> None:
    live.send(fail(live, example))
    (first,) = alerts(live, "notification-failed")
    live.update(Notification, first.id, state="sent", due_at=None)
    live.send(fail(live, example))
    assert len(alerts(live, "notification-failed")) == 2


def test_an_alert_that_fails_alerts_nobody(live: Any, example: Example) -> None:
    live.send(example("gateway-changed", state="disconnected"))
    (row,) = alerts(live, "gateway-disconnected")
    live.update(Notification, row.id, state="failed", due_at=None, last_error="550 nobody here")
    live.send(notification_failed(row))
    assert alerts(live, "notification-failed") == []


def test_money_that_the_bank_took_back_is_told_to_the_customer_and_the_team(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("payment-reversed", reason="fraudulent"))
    (told,), (alert,) = alerts(rehearsal, "payment-reversed"), alerts(rehearsal, "payment-taken-back")
    assert told.recipient == "member@example.com"
    assert alert.recipient == "desk@harbour.example"
    assert "Reason: reported as fraud" in alert.text


def test_a_blocked_customer_is_told_once_per_arrears_pay_8(rehearsal: Any, example: Example) -> None:
    customer = {"member_id": str(new_id()), "name": "Ada", "email": "ada@example.com", "language": "de"}
    for since, blocked, version in (
        ("2027-02-08", False, 1),
        ("2027-02-08", True, 2),
        ("2027-02-08", True, 3),
        (None, False, 4),
        ("2027-05-01", True, 5),
    ):
        fact = {"overdue_since": since, "bookings_blocked": blocked, "version": version}
        rehearsal.send(example("customer-standing-changed", customer=customer, **fact))
    found = alerts(rehearsal, "bookings-blocked")
    assert [row.recipient for row in found] == ["ada@example.com"] * 2
    assert "8. Februar 2027" in found[0].text


@pytest.mark.parametrize(("state", "count"), [("failed", 1), ("sent", 0)])
def test_the_checklist_names_mail_that_failed(
    notifications_app: Any, live: Any, example: Example, sign_in: Callable[..., ApiClient], state: str, count: int
) -> None:
    fact = fail(live, example)
    live.update(Notification, fact.notification_id, state=state)
    found = sign_in(notifications_app, live.organization_id).get("/v1/setup/notifications").json
    assert found["facts"] == {"notifications_failed": count}
    assert [problem["href"] for problem in found["problems"]] == [
        f"/admin/notifications/{encode_id('ntf', fact.notification_id)}"
    ] * count
    assert all("no e-mail address is known" in problem["detail"] for problem in found["problems"])
