"""Every mail that there is, told by messages as the other services send them, through a real SMTP conversation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from common.ids import new_id
from common.jobs import JobRun
from common.testing.plugin import add_organization
from notifications.config import NotificationsSettings
from notifications.domain.templates import LANGUAGES, TEMPLATES
from notifications.jobs import build_jobs
from notifications.messages.publishes import notification_failed
from notifications.models import Notification, WebhookEndpoint
from notifications.services.alerts import alert_of_disabled_endpoint

Example = Callable[..., Any]
MONEY = (
    "payment-succeeded",
    "payment-pending",
    "payment-action-required",
    "payment-refunded",
    "payment-refund-failed",
    "payment-reversed",
)


def run_jobs(post: Any, smtp_url: str, after: timedelta) -> None:
    """One turn of every job as if so much time had passed."""
    settings = NotificationsSettings(database_url="", internal_token="x", secret="x", smtp_url=smtp_url)
    for job in build_jobs(settings):
        job.run(JobRun(post.database, post.organization_id, post.database.clock.now() + after))


def tell_the_story(post: Any, example: Example, language: str) -> None:
    """What happens to a member of a live organisation in a year."""
    member = str(new_id())
    customer = {"member_id": member, "name": "Ada Lovelace", "email": "ada@example.com", "language": language}
    post.send(example("member-changed", member_id=member, email="ada@example.com", language=language))
    door = {"email": "ada@example.com", "display_name": "Ada Lovelace", "member_id": member}
    post.send(example("user-invited", role="member", **door))
    post.send(example("user-invited", role="front_desk", **door | {"email": "colleague@example.com"}))
    post.send(example("sign-in-link-requested", **door))
    membership = {"membership_id": str(new_id()), "member_id": member, "status": "active"}
    post.send(example("membership-changed", **membership, end_date=None, version=1))
    post.send(example("membership-changed", **membership, end_date="2027-12-31", version=2))
    _book(post, example, member)
    invoice = {"customer": customer, "invoice_id": str(new_id())}
    post.send(example("invoice-sent", **invoice, to="ada@example.com"))
    for day in (-3, 3):
        post.send(example("invoice-reminder-due", **invoice, day=day))
    standing = {"overdue_since": "2027-02-08", "bookings_blocked": True}
    post.send(example("customer-standing-changed", customer=customer, **standing))
    post.send(example("credit-note-issued", customer=customer, credit_note_id=str(new_id())))
    post.send(example("invoice-voided", **invoice, state="void"))
    for name in MONEY:
        post.send(example(name, customer=customer, payment_id=str(new_id())))
    post.send(example("payment-failed", customer=customer, source="automatic", next_attempt_at=None))
    post.send(example("payment-method-expiring", customer=customer))
    post.send(example("gateway-changed", state="disconnected"))
    _fail(post)


def _book(post: Any, example: Example, member: str) -> None:
    start = post.database.clock.now() + timedelta(hours=25)
    booking = {
        "booking_id": str(new_id()),
        "member_id": member,
        "timezone": "Europe/Berlin",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    }
    post.send(example("booking-created", **booking, status="tentative", version=1))
    post.send(example("booking-confirmed", **booking, status="confirmed", version=2))
    post.send(example("booking-changed", **booking, status="confirmed", resource_name="Red Room", version=3))
    gone = booking | {"booking_id": str(new_id())}
    post.send(example("booking-created", **gone, status="confirmed", version=1))
    post.send(example("booking-cancelled", **gone, status="cancelled", version=2))


def _fail(post: Any) -> None:
    """A mail that was given up, and an endpoint that was switched off."""
    row = post.rows(Notification, Notification.template == "receipt")[0]
    post.send(notification_failed(row))
    with post.database.session(post.organization_id) as session:
        values = {"url": "https://example.com/", "event_types": ["*"], "sealed_secret": b"", "description": ""}
        endpoint = WebhookEndpoint(**values, disabled_reason="410", version=1, created_at=session.now())
        session.add(endpoint)
        session.flush()
        alert_of_disabled_endpoint(session, endpoint)
        session.commit()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_server_receives_every_mail_of_the_story(
    live: Any, example: Example, mailbox: Any, language: str
) -> None:
    profile = {"email": "desk@harbour.example", "alert_email": "team@harbour.example"}
    live.organization_id = add_organization(live.database, profile=profile, language=language)
    tell_the_story(live, example, language)
    for _ in range(3):
        run_jobs(live, mailbox.url, after=timedelta(hours=1, minutes=1))
    run_jobs(live, mailbox.url, after=timedelta(hours=2))
    rows = {row.id.hex: row for row in live.rows(Notification)}
    assert {row.template for row in rows.values()} == set(TEMPLATES)
    assert {row.language for row in rows.values()} == {language}
    assert {(row.template, row.state) for row in rows.values()} == {(name, "sent") for name in TEMPLATES}
    assert len(mailbox.mails) == len(rows)
    for mail in mailbox.mails:
        row = rows[mail["Message-ID"].strip("<").partition(".")[0]]
        _check(mail, row)


def _check(mail: Any, row: Any) -> None:
    """What was written is what arrived: to whom it belongs, in two forms, with its files."""
    assert [address.addr_spec for address in mail["To"].addresses] == [row.recipient]
    # Where a line is folded before an encoded word, the standard library reads one space too many.
    assert " ".join(mail["Subject"].split()) == row.subject
    assert mail["Content-Language"] == row.language
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == row.text
    assert "<table" in mail.get_body(("html",)).get_content()
    files = [part.get_content_type() for part in mail.iter_attachments()]
    assert files == EXPECTED_FILES.get(row.template, [])
    internal = TEMPLATES[row.template].internal
    assert (row.recipient == "team@harbour.example") is internal


EXPECTED_FILES = {
    "invoice": ["application/pdf"],
    "credit-note": ["application/pdf"],
    "booking-confirmed": ["text/calendar"],
    "booking-changed": ["text/calendar"],
    "booking-cancelled": ["text/calendar"],
}
