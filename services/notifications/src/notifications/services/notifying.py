"""Telling somebody: one notification per event, template and recipient, however often the event is heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.ids import new_id
from common.jobs import wake_scheduler
from notifications.domain.backoff import expiry
from notifications.domain.templates import TEMPLATES, choose_language
from notifications.mail.envelope import AttachedFile
from notifications.mail.rendering import Rendered
from notifications.models import ONCE, Attachment, Notification, SuppressedAddress
from notifications.services.erasing import is_erased
from notifications.services.failures import announce_failure
from notifications.services.recipients import Recipient
from notifications.services.wordings import write

KEPT_DAYS = 3 * 366
SECRETS_KEPT_DAYS = 2


@dataclass(frozen=True, slots=True)
class About:
    """What a notification is about, for finding it again."""

    invoice_id: UUID | None = None
    booking_id: UUID | None = None
    payment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell whom. ``source`` names the event (``payment:<id>``); ``data`` is what the template may say."""

    template: str
    source: str
    recipient: Recipient
    data: Mapping[str, Any]
    about: About = field(default_factory=About)
    files: Sequence[AttachedFile] = ()
    occurrences: Sequence[dict[str, Any]] = ()
    delay: timedelta = timedelta()


def notify(session: TenantSession, notice: Notice) -> UUID | None:
    """Write a notification and have it delivered; None when this recipient was told of this event before.

    None, too, when it is for a member who was erased: bills still carry their address, but nobody is written to.
    Rehearsal organisations keep their mail in the app: it counts as sent at once. The race between two workers with
    the same event is settled by the unique constraint.
    """
    if is_erased(session, notice.recipient.member_id):
        return None
    values = _values(session, notice)
    statement = insert(Notification).values(values).on_conflict_do_nothing(constraint=ONCE).returning(Notification.id)
    notification_id = session.scalar(statement)
    if notification_id is None:
        return None
    attach(session, notification_id, notice.files)
    if values["due_at"] is not None:
        wake_scheduler(session)
    if values["state"] == "failed":
        announce_failure(session, session.get_one(Notification, notification_id))
    return notification_id


def _values(session: TenantSession, notice: Notice) -> dict[str, Any]:
    recipient, now = notice.recipient, session.now()
    language, words = write_notice(session, notice)
    start = first_state(session, notice.template, recipient.address)
    if start["due_at"] is not None:
        start["due_at"] += notice.delay
    secret = TEMPLATES[notice.template].secret
    return {
        "id": new_id(),
        "organization_id": session.organization_id,
        "version": 1,
        "source": notice.source,
        "template": notice.template,
        "recipient": recipient.address,
        "recipient_name": recipient.name,
        "language": language,
        "subject": words.subject,
        "html": words.html,
        "text": words.text,
        "member_id": recipient.member_id,
        "company_id": recipient.company_id,
        "invoice_id": notice.about.invoice_id,
        "booking_id": notice.about.booking_id,
        "payment_id": notice.about.payment_id,
        "sendings": 1,
        "attempts": 0,
        "created_at": now,
        "expires_at": expiry(now, SECRETS_KEPT_DAYS if secret else KEPT_DAYS),
        "occurrences": list(notice.occurrences),
        **start,
    }


def write_notice(session: TenantSession, notice: Notice) -> tuple[str, Rendered]:
    """A notice's language and words."""
    language = choose_language(notice.recipient.language, session.organization.language)
    data = {**notice.data, "recipient": {"name": notice.recipient.name}}
    return language, write(session, notice.template, language, data)


def first_state(session: TenantSession, template: str, address: str) -> dict[str, Any]:
    """Where a notification starts: queued, kept in the app, or failed for want of an address."""
    now, internal = session.now(), TEMPLATES[template].internal
    start: dict[str, Any] = {"channel": "email", "state": "queued", "due_at": now, "sent_at": None, "last_error": None}
    in_app = session.organization.mode == "rehearsal" or (internal and not address)
    channel = "in_app" if in_app else "email"
    if not address and not internal:
        return start | {"channel": channel, **_failed("no e-mail address is known")}
    if in_app:
        return start | {"channel": channel, "state": "sent", "due_at": None, "sent_at": now}
    if _is_suppressed(session, address):
        return start | _failed("mail to this address came back before")
    return start


def _failed(error: str) -> dict[str, Any]:
    return {"state": "failed", "due_at": None, "last_error": error}


def _is_suppressed(session: TenantSession, address: str) -> bool:
    statement = select(SuppressedAddress.id).where(SuppressedAddress.address == address.lower())
    return session.scalar(statement) is not None


def attach(session: TenantSession, notification_id: UUID, files: Sequence[AttachedFile]) -> None:
    """Put files to a notification."""
    for file in files:
        session.add(
            Attachment(
                notification_id=notification_id,
                filename=file.filename,
                content_type=file.content_type,
                content=file.content,
                size=len(file.content),
            )
        )
    session.flush()
