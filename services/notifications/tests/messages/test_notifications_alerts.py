"""What the team hears: failed mail, money taken back; what blocked customers hear; and what the checklist names."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from common.ids import encode_id, new_id
from common.jobs import JobRun
from common.testing.plugin import ApiClient
from contracts.notifications import NotificationFailed
from notifications.mail.transports import SmtpTransport, read_smtp_url
from notifications.messages.publishes import notification_failed
from notifications.models import Notification
from notifications.services import notifying, wordings
from notifications.services.delivery import Sender, deliver_due

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
    named = [failure["to"] for row in found for failure in row.occurrences]
    assert sorted(named) == ["Ada", "Edsger", "Grace"]
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


def test_an_hours_alert_is_written_with_all_failures_when_it_is_sent(live: Any, example: Example, mailbox: Any) -> None:
    at = live.database.clock.now() + timedelta(hours=2)
    for number in range(23):
        live.send(fail(live, example, f"Member {number:02}"))
    run, sender = JobRun(live.database, live.organization_id, at), Sender("from@example.com", "back@example.com")
    deliver_due(run, SmtpTransport(read_smtp_url(mailbox.url, 5)), sender)
    rows = alerts(live, "notification-failed")
    assert sum(len(row.occurrences) + row.others for row in rows) == 23
    assert len(rows) in {1, 2}, "two when the hour ends in between"
    assert all(len(row.occurrences) <= 20 for row in rows)
    for row in rows:
        assert row.subject.startswith(f"{len(row.occurrences) + row.others} mails" if row.occurrences[1:] else "A mail")
        assert row.text.count("Reason: no e-mail address is known") == len(row.occurrences)
        assert (f"And {row.others} more." in row.text) is (row.others > 0)
    assert sorted(mail["Subject"] for mail in mailbox.mails) == sorted(row.subject for row in rows)


def test_a_failure_costs_no_more_the_more_there_are(
    live: Any, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering is what costs: once for the alert, never for what joins it."""
    facts = [fail(live, example, f"Member {number:02}") for number in range(30)]
    written: list[str] = []
    monkeypatch.setattr(notifying, "write", lambda *args: written.append(args[1]) or wordings.write(*args))
    for fact in facts:
        live.send(fact)
    assert len(written) in {1, 2}, "two when the hour ends in between"


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


def test_a_refund_that_failed_is_told_to_the_team_once_and_says_what_to_do(rehearsal: Any, example: Example) -> None:
    fact = example("payment-refund-failed", failure_code="lost_or_stolen_card", reason="Broken projector")
    for _ in range(2):
        rehearsal.send(fact)
    rehearsal.send(example("payment-refund-failed", source="test"))
    (alert,) = alerts(rehearsal, "refund-failed")
    assert alert.recipient == "desk@harbour.example"
    assert "Failed because: the card was reported lost or stolen" in alert.text
    assert "Refund the payment again" in alert.text
    assert f"/admin/payments/{encode_id('pay', fact.payment_id)}" in alert.text
    assert [row.template for row in rehearsal.rows(Notification)] == ["refund-failed"]


@pytest.mark.parametrize("state", ["disputed", "failed"])
def test_a_refund_of_money_that_the_bank_took_back_is_not_asked_for_again(
    rehearsal: Any, example: Example, state: str
) -> None:
    rehearsal.send(example("payment-refund-failed", failure_code="payment_disputed", state=state))
    (alert,) = alerts(rehearsal, "refund-failed")
    assert "their bank has taken the payment back already" in alert.text
    assert "Failed because: the customer's bank has taken the money back" in alert.text
    assert "Refund the payment again" not in alert.text


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


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_who_pays_the_oldest_of_two_invoices_is_not_told_again_while_blocked_pay_8(
    rehearsal: Any, example: Example, order: tuple[int, ...]
) -> None:
    customer = {"member_id": str(new_id()), "name": "Ada", "email": "ada@example.com", "language": "en"}
    facts = [("2027-02-08", True), ("2027-03-08", True), (None, False), ("2027-05-01", True)]
    for place in order:
        since, blocked = facts[place]
        fact = {"overdue_since": since, "bookings_blocked": blocked, "version": place + 1}
        rehearsal.send(example("customer-standing-changed", customer=customer, **fact))
    found = [row.text for row in alerts(rehearsal, "bookings-blocked")]
    assert sum("1 May 2027" in text for text in found) == 1, "the block that lasts is told of in whatever order"
    assert len(found) <= 2
    if order == (0, 1, 2, 3):
        assert sum("8 February 2027" in text for text in found) == 1


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
