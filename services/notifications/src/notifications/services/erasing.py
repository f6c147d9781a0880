"""Forgetting who a member was: what they were told goes, and what the team was told of them; nothing more is said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from common.db import TenantSession
from notifications.domain.templates import TEMPLATES
from notifications.models import MemberCopy, Notification, SuppressedAddress

ERASED = "erased"
_ALERTS = tuple(name for name, template in TEMPLATES.items() if template.internal)
_GATHERED = "notification-failed"
_ABOUT = (Notification.invoice_id, Notification.booking_id, Notification.payment_id)
_UNLOADED = {"synchronize_session": False}


def is_erased(session: TenantSession, member_id: UUID | None) -> bool:
    """Whether there is nobody left to write to."""
    member = session.get(MemberCopy, member_id) if member_id is not None else None
    return member is not None and member.status == ERASED


def erase(session: TenantSession, member_id: UUID) -> None:
    """Delete an erased member's mails with their files, and the team's mails about the same things.

    That an invoice was sent stays with the invoice; the mails themselves are no books.
    """
    mine = Notification.member_id == member_id
    gone = session.scalars(select(Notification.id).where(mine)).all()
    _forget_failures(session, {str(notification_id) for notification_id in gone})
    _forget_addresses(session, mine)
    alerts = or_(*(_same(column, mine) for column in _ABOUT))
    session.execute(
        delete(Notification).where(Notification.template.in_(_ALERTS), alerts, *_own(session, Notification)),
        execution_options=_UNLOADED,
    )
    session.execute(delete(Notification).where(mine, *_own(session, Notification)), execution_options=_UNLOADED)


def _same(column: Any, mine: Any) -> Any:
    return column.in_(select(column).where(mine, column.is_not(None)))


def _own(session: TenantSession, kind: Any) -> tuple[Any, ...]:
    return (kind.organization_id == session.organization_id,)


def _forget_failures(session: TenantSession, gone: set[str]) -> None:
    """Alerts of mails that failed name several; one that has not left tells of the others still."""
    statement = select(Notification).where(Notification.template == _GATHERED).with_for_update()
    for alert in session.scalars(statement).all():
        others = [one for one in alert.occurrences if str(one["id"]).partition(":")[0] not in gone]
        if len(others) == len(alert.occurrences):
            continue
        alert.occurrences = others
        if not others or alert.state != "queued":
            session.delete(alert)
    session.flush()


def _forget_addresses(session: TenantSession, mine: Any) -> None:
    theirs = select(Notification.recipient).where(mine)
    addresses = {address.lower() for address in session.scalars(theirs) if address}
    session.execute(
        delete(SuppressedAddress).where(SuppressedAddress.address.in_(addresses), *_own(session, SuppressedAddress)),
        execution_options=_UNLOADED,
    )
