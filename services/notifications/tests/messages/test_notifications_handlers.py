"""Each event is told once to each recipient, whatever the order and however often it is heard of."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from common.db.migrate import schema_differences
from common.db.plumbing import outbox_table, plumbing_metadata
from common.ids import encode_id, new_id
from common.messaging import Result
from common.testing.plugin import add_organization
from contracts.subscriptions import SUBSCRIPTIONS
from notifications.models import Attachment, Notification
from notifications.service import SERVICE

Example = Callable[..., Any]
EXPECTED = {
    "invoice-sent": "invoice",
    "payment-succeeded": "receipt",
    "payment-pending": "payment-pending",
    "payment-failed": "payment-failed",
    "payment-action-required": "payment-action-required",
    "payment-refunded": "payment-refunded",
    "payment-reversed": "payment-reversed",
    "payment-method-expiring": "payment-method-expiring",
    "credit-note-issued": "credit-note",
    "user-invited": "welcome",
    "sign-in-link-requested": "sign-in-link",
}


@pytest.fixture
def member() -> str:
    """The id of a member of this test only."""
    return str(new_id())


def told(post: Any) -> list[tuple[str, str]]:
    return [(row.template, row.recipient) for row in post.rows(Notification)]


def test_the_models_agree_with_the_migrations(notifications_database: Any) -> None:
    assert schema_differences(notifications_database.url, [plumbing_metadata, SERVICE.metadata]) == []


def test_every_message_subscribed_to_has_a_handler() -> None:
    assert set(SUBSCRIPTIONS["notifications"]) == set(SERVICE.handlers.types())


@pytest.mark.parametrize(("message", "template"), EXPECTED.items())
def test_an_event_makes_exactly_one_mail_though_the_copy_of_its_customer_has_not_arrived(
    rehearsal: Any, example: Example, message: str, template: str
) -> None:
    changes = {"timezone": "Europe/Berlin"} if message == "invoice-sent" else {}
    fact = example(message, **changes)
    twice = new_id()
    assert rehearsal.send(fact, twice).result is Result.DONE
    assert rehearsal.send(fact, twice).result is Result.DUPLICATE
    (row,) = [row for row in rehearsal.rows(Notification) if row.template == template]
    assert row.state == "sent"
    assert row.channel == "in_app"
    assert row.sent_at.isoformat() == "2027-02-12T08:00:00+00:00"


def test_a_receipt_of_a_member_names_amount_invoice_and_card(rehearsal: Any, example: Example) -> None:
    amount = {"amount_minor": 18214, "currency": "EUR"}
    rehearsal.send(example("payment-succeeded", amount=amount, invoice_number="INV-2027-00001"))
    (row,) = rehearsal.rows(Notification)
    assert row.member_id is not None
    assert row.payment_id is not None
    assert row.subject == "Receipt: €182.14 received"
    assert "INV-2027-00001" in row.text
    assert "Visa ···· 4242" in row.text


def test_a_payment_announced_under_two_message_ids_makes_one_receipt(rehearsal: Any, example: Example) -> None:
    fact = example("payment-succeeded")
    rehearsal.send(fact)
    rehearsal.send(fact)
    assert told(rehearsal) == [("receipt", "member@example.com")]


def test_the_same_event_handled_by_many_workers_at_once_makes_one_mail(live: Any, example: Example) -> None:
    fact = example("payment-succeeded")
    envelopes = [live.envelope(fact, message_id) for message_id in (new_id(), new_id()) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(live.consumer.handle, envelopes))
    assert all(outcome.settled for outcome in outcomes)
    assert told(live) == [("receipt", "member@example.com")]


def test_the_invoice_mail_carries_the_pdf(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("invoice-sent", to="bills@example.com", number="INV-2027-00001"))
    assert told(rehearsal) == [("invoice", "bills@example.com")]
    (file,) = rehearsal.rows(Attachment)
    assert (file.filename, file.content_type, file.size) == ("INV-2027-00001.pdf", "application/pdf", 5)


def test_an_invoice_mail_without_pdf_is_sent_all_the_same(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("invoice-sent", pdf="", to="bills@example.com"))
    assert told(rehearsal) == [("invoice", "bills@example.com")]
    assert rehearsal.rows(Attachment) == []


def test_sending_an_invoice_again_makes_a_second_mail(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("invoice-sent", sending=1))
    rehearsal.send(example("invoice-sent", sending=2))
    assert len(told(rehearsal)) == 2


def test_a_void_invoice_is_told_only_to_whoever_got_it(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("invoice-voided"))
    assert told(rehearsal) == []
    sent = example("invoice-sent", to="member@example.com")
    rehearsal.send(sent)
    rehearsal.send(example("invoice-voided", invoice_id=str(sent.invoice_id), state="void"))
    assert [template for template, _ in told(rehearsal)] == ["invoice", "invoice-voided"]


@pytest.mark.parametrize(
    ("day", "template"), [(-3, "invoice-due"), (0, "invoice-due"), (3, "invoice-overdue"), (14, "invoice-overdue")]
)
def test_each_step_of_the_reminder_ladder_is_one_mail_pay_8(
    rehearsal: Any, example: Example, day: int, template: str
) -> None:
    for _ in range(2):
        rehearsal.send(example("invoice-reminder-due", day=day))
    assert [name for name, _ in told(rehearsal)] == [template]


def test_a_reminder_that_comes_after_the_money_is_not_sent(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("invoice-reminder-due", day=3, payable={"amount_minor": 0, "currency": "EUR"}))
    assert told(rehearsal) == []


def test_nobody_is_mailed_what_they_see_on_the_page(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("payment-failed", source="pay_now", next_attempt_at=None))
    rehearsal.send(example("payment-succeeded", source="test"))
    assert told(rehearsal) == []


def test_a_collection_given_up_alerts_the_team_and_asks_the_customer(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("payment-failed", source="automatic", next_attempt_at=None))
    assert told(rehearsal) == [("payment-failed", "member@example.com"), ("collection-failed", "desk@harbour.example")]


def test_a_disconnected_gateway_alerts_the_team(rehearsal: Any, example: Example) -> None:
    rehearsal.send(example("gateway-changed", state="connected"))
    rehearsal.send(example("gateway-changed", state="disconnected"))
    assert told(rehearsal) == [("gateway-disconnected", "desk@harbour.example")]


def test_the_customers_copy_fills_up_what_the_message_does_not_say(
    rehearsal: Any, example: Example, member: str
) -> None:
    rehearsal.send(
        example("member-changed", member_id=member, language="de", billing={"email": "bills@example.com"}, version=2)
    )
    customer = {"member_id": member, "company_id": None, "name": "", "email": None, "language": None}
    rehearsal.send(example("payment-succeeded", customer=customer))
    (row,) = rehearsal.rows(Notification)
    assert row.recipient == "bills@example.com"
    assert row.subject == "Zahlungsbeleg: 45,00 € erhalten"


def test_a_customer_whom_nothing_is_known_of_is_waited_for(rehearsal: Any, example: Example) -> None:
    customer = {"member_id": str(new_id()), "company_id": None, "name": "", "email": None, "language": None}
    assert rehearsal.send(example("payment-succeeded", customer=customer)).result is Result.RETRY


def test_a_member_without_an_address_is_a_failed_notification_and_is_announced(
    rehearsal: Any, example: Example, member: str
) -> None:
    rehearsal.send(example("member-changed", member_id=member, email=None, billing={}))
    customer = {"member_id": member, "company_id": None, "name": "X", "email": None, "language": None}
    rehearsal.send(example("payment-succeeded", customer=customer))
    (row,) = rehearsal.rows(Notification)
    assert (row.state, row.last_error) == ("failed", "no e-mail address is known")
    assert written(rehearsal) == ["notification-failed"]


def written(post: Any) -> list[str]:
    with post.database.system_session() as session:
        rows = session.execute(
            outbox_table.select().where(outbox_table.c.organization_id == post.organization_id)
        ).mappings()
        return [row["type"] for row in rows]


def test_an_older_copy_never_replaces_a_newer_one(rehearsal: Any, example: Example, member: str) -> None:
    from notifications.models import MemberCopy

    newest = [example("member-changed", member_id=member, display_name=f"Name {n}", version=n) for n in range(1, 6)]
    random.Random(7).shuffle(newest)
    for fact in newest:
        rehearsal.send(fact)
    assert [row.name for row in rehearsal.rows(MemberCopy, MemberCopy.id == UUID(member))] == ["Name 5"]


def test_a_membership_is_told_of_when_it_starts_and_when_an_end_is_set_only(
    rehearsal: Any, example: Example, member: str
) -> None:
    rehearsal.send(example("member-changed", member_id=member, version=1))
    base = {"membership_id": str(new_id()), "member_id": member, "status": "active", "end_date": None}
    rehearsal.send(example("membership-changed", **base | {"version": 1, "status": "pending"}))
    assert told(rehearsal) == []
    for version, change in enumerate(({}, {"billed_until": "2027-04-01"}, {"end_date": "2027-06-30"}, {}), start=2):
        base |= change
        rehearsal.send(example("membership-changed", **base, version=version))
    assert [name for name, _ in told(rehearsal)] == ["membership-started", "membership-ending"]


def test_a_membership_that_was_sold_with_its_end_is_not_announced_as_ending(
    rehearsal: Any, example: Example, member: str
) -> None:
    rehearsal.send(example("member-changed", member_id=member, version=1))
    base = {"membership_id": str(new_id()), "member_id": member, "status": "active", "end_date": "2027-12-31"}
    for version in (1, 2):
        rehearsal.send(example("membership-changed", **base, version=version))
    assert [name for name, _ in told(rehearsal)] == ["membership-started"]


def test_the_end_of_a_membership_is_told_also_when_the_messages_come_in_disorder(
    rehearsal: Any, example: Example, member: str
) -> None:
    rehearsal.send(example("member-changed", member_id=member, version=1))
    base = {"membership_id": str(new_id()), "member_id": member, "status": "active"}
    rehearsal.send(example("membership-changed", **base, version=2, end_date="2027-06-30"))
    rehearsal.send(example("membership-changed", **base, version=1, end_date=None))
    assert sorted(name for name, _ in told(rehearsal)) == ["membership-ending", "membership-started"]


def test_an_alert_without_any_address_stays_in_the_app_also_when_resent(
    notifications_database: Any, notifications_app: Any, sign_in: Callable[..., Any], live: Any, example: Example
) -> None:
    live.organization_id = add_organization(notifications_database, profile={})
    live.send(example("gateway-changed", state="disconnected"))
    (row,) = live.rows(Notification)
    assert (row.channel, row.state, row.recipient) == ("in_app", "sent", "")
    owner = sign_in(notifications_app, live.organization_id)
    assert owner.post(f"/v1/notifications/{encode_id('ntf', row.id)}/resend").json["state"] == "sent"
