"""Sending what is due: claim under a lease, hand over outside of any transaction, record the outcome.

SMTP knows no transaction: a worker killed between the server's "250" and our commit sends again when the lease is
over. The message id stays the same then, by which mail programs and relays recognise the copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload, undefer

from common.db import TenantSession
from common.jobs import JobRun
from notifications.domain.backoff import next_attempt
from notifications.mail.envelope import AttachedFile, Letter, to_message
from notifications.mail.transports import DeferredError, MailTransport, Outbound, RejectedError, describe
from notifications.models import Attachment, Notification
from notifications.services.alerts import complete_alert
from notifications.services.failures import announce_failure

logger = structlog.get_logger(__name__)
BATCH = 10
LEASE = timedelta(minutes=10)
TURN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sender:
    """The address that mail is from, and the one that servers report failures to (the envelope's)."""

    address: str
    return_path: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter under way; the outcome counts only while this is still its newest attempt."""

    letter: Letter
    attempts: int
    error: str | None = None
    rejected: bool = False


def deliver_due(run: JobRun, transport: MailTransport, sender: Sender) -> None:
    """Send all of an organisation's mail that is due, oldest first.

    A long queue goes on in the next turn, and so does one before a server that cannot be reached.
    """
    until = monotonic() + TURN_SECONDS
    while monotonic() < until:
        claimed = claim(run, sender.address)
        if not claimed:
            return
        outcomes, reached = _hand_over(transport, claimed, sender.return_path)
        for outcome in outcomes:
            record(run, outcome)
        if not reached:
            return


def claim(run: JobRun, sender: str) -> list[Claimed]:
    """Take the next handful for ourselves, in a transaction of its own."""
    with run.database.session(run.organization_id) as session:
        rows = _due(session, run.now)
        until = session.clock.now() + LEASE
        for row in rows:
            row.state, row.lease_until, row.attempts = "sending", until, row.attempts + 1
            complete_alert(session, row)
        claimed = [Claimed(_letter(session, row, sender), row.attempts) for row in rows]
        session.commit()
    return claimed


def _due(session: TenantSession, now: datetime) -> Sequence[Notification]:
    free = or_(Notification.lease_until.is_(None), Notification.lease_until <= session.clock.now())
    return session.scalars(
        select(Notification)
        .where(Notification.due_at <= now, free)
        .order_by(Notification.due_at, Notification.id)
        .limit(BATCH)
        .options(undefer(Notification.html), selectinload(Notification.attachments).undefer(Attachment.content))
        .with_for_update(skip_locked=True)
    ).all()


def _letter(session: TenantSession, row: Notification, sender: str) -> Letter:
    organization = session.organization
    return Letter(
        notification_id=row.id,
        sending=row.sendings,
        sender=sender,
        sender_name=organization.name,
        reply_to=str(organization.profile.get("email") or ""),
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        subject=row.subject,
        html=row.html,
        text=row.text,
        language=row.language,
        at=session.now(),
        files=[AttachedFile(file.filename, file.content_type, file.content) for file in row.attachments],
    )


def _hand_over(transport: MailTransport, claimed: Sequence[Claimed], return_path: str) -> tuple[list[Claimed], bool]:
    """What became of each letter, and whether the other side could be reached at all."""
    try:
        with transport.connect() as way:
            return [_send(way, item, return_path) for item in claimed], True
    except DeferredError as error:
        return [_with_error(item, str(error)) for item in claimed], False


def _send(way: Outbound, item: Claimed, return_path: str) -> Claimed:
    letter = item.letter
    try:
        way.send(to_message(letter), return_path, letter.recipient)
    except RejectedError as error:
        return _with_error(item, str(error), rejected=True)
    except DeferredError as error:
        return _with_error(item, str(error))
    except (ValueError, UnicodeError) as error:
        # An address or a header that no mail can carry.
        return _with_error(item, describe(error), rejected=True)
    return item


def _with_error(item: Claimed, error: str, *, rejected: bool = False) -> Claimed:
    return Claimed(item.letter, item.attempts, error, rejected)


def record(run: JobRun, outcome: Claimed) -> None:
    """Write down what became of a letter, unless another worker took it over after our lease."""
    with run.database.session(run.organization_id) as session:
        row = _locked(session, outcome.letter.notification_id)
        if row is None or row.state != "sending" or row.attempts != outcome.attempts:
            return
        row.lease_until = None
        if outcome.error is None:
            row.state, row.due_at, row.sent_at, row.last_error = "sent", None, session.now(), None
            row.touch()
        else:
            _put_off(session, row, outcome)
        session.commit()


def _locked(session: TenantSession, notification_id: UUID) -> Notification | None:
    return session.scalars(
        select(Notification).where(Notification.id == notification_id).with_for_update()
    ).one_or_none()


def _put_off(session: TenantSession, row: Notification, outcome: Claimed) -> None:
    row.last_error = outcome.error
    again = None if outcome.rejected else next_attempt(row.attempts, session.now())
    row.state, row.due_at = ("failed" if again is None else "queued"), again
    row.touch()
    logger.warning("mail_not_sent", notification_id=str(row.id), attempts=row.attempts, final=again is None)
    if again is None:
        announce_failure(session, row)
