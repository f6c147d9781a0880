"""Sending again by hand, and what to do with mail that came back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.errors import ConflictError, NotFoundError, TransientError
from common.ids import new_id
from common.jobs import wake_scheduler
from contracts.parts import Customer
from notifications.domain.templates import TEMPLATES
from notifications.models import Notification, SuppressedAddress
from notifications.services.failures import announce_failure
from notifications.services.notifying import first_state
from notifications.services.recipients import bill_recipient, operator_recipient, person_recipient


def find_notification(session: TenantSession, notification_id: UUID, *, lock: bool = False) -> Notification:
    """A notification by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Notification).where(Notification.id == notification_id)
    found = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFoundError("notification_not_found", "there is no such notification")
    return found


def resend(session: TenantSession, notification: Notification) -> Notification:
    """Queue a locked notification once more as a new sending; a bounced address gets another chance.

    One that failed for want of an address goes to the one known by now. Raises ConflictError while it is under way
    already, and for links that work only once.
    """
    if notification.state in {"queued", "sending"}:
        raise ConflictError("already_under_way", "this notification is being sent already")
    if TEMPLATES[notification.template].secret:
        raise ConflictError("link_works_once", "the link in this mail works only once: ask for a new one")
    if not notification.recipient:
        notification.recipient = _address_now(session, notification)
    _forgive(session, notification.recipient)
    for name, value in first_state(session, notification.template, notification.recipient).items():
        setattr(notification, name, value)
    notification.sendings += 1
    notification.attempts = 0
    notification.touch()
    session.flush()
    if notification.state == "failed":
        announce_failure(session, notification)
    wake_scheduler(session)
    return notification


def _address_now(session: TenantSession, notification: Notification) -> str:
    if TEMPLATES[notification.template].internal:
        return operator_recipient(session).address
    member_id, company_id = notification.member_id, notification.company_id
    try:
        if notification.template.startswith(("booking-", "membership-")):
            return person_recipient(session, member_id, company_id).address
        return bill_recipient(session, Customer(member_id=member_id, company_id=company_id)).address
    except TransientError:
        return ""


def _forgive(session: TenantSession, address: str) -> None:
    session.execute(delete(SuppressedAddress).where(SuppressedAddress.address == address.lower()))


def record_bounce(session: TenantSession, notification: Notification, reason: str, *, permanent: bool) -> None:
    """A mail that was accepted came back. For good: it failed, and its address gets no more mail until a resend."""
    if notification.state == "failed":
        return
    if not permanent:
        notification.last_error = f"came back for now: {reason}"
        notification.touch()
        return
    notification.state, notification.due_at = "failed", None
    notification.last_error = f"came back: {reason}"
    notification.touch()
    session.execute(
        insert(SuppressedAddress)
        .values(
            id=new_id(),
            organization_id=session.organization_id,
            address=notification.recipient.lower(),
            reason=reason,
            created_at=session.now(),
        )
        .on_conflict_do_nothing()
    )
    session.flush()
    announce_failure(session, notification)
