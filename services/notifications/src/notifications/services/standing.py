"""Telling a customer that they cannot book until they pay (PAY-8)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from contracts.invoicing import CustomerStandingChanged
from notifications.mail.links import LINKS
from notifications.models import StandingCopy
from notifications.services.notifying import Notice, notify
from notifications.services.recipients import bill_recipient


def tell_of_standing(session: TenantSession, message: CustomerStandingChanged) -> None:
    """Say when bookings become blocked, not again while they stay so; that they are free goes without saying.

    Messages may come in any order: a customer who was free between two blocks is told of the later one when either
    of the two messages comes last.
    """
    whose = message.customer.member_id or message.customer.company_id
    if whose is None:
        return
    known = _locked(session, whose)
    begins = _begins(known, message)
    if message.version > known.version:
        known.version = message.version
        known.bookings_blocked, known.overdue_since = message.bookings_blocked, message.overdue_since
    if begins:
        known.told_version = known.version
        _tell(session, message, known)


def _locked(session: TenantSession, whose: UUID) -> StandingCopy:
    fresh = {"bookings_blocked": False, "overdue_since": None, "told_version": 0, "version": 0}
    values = {"id": whose, "organization_id": session.organization_id, **fresh}
    session.execute(insert(StandingCopy).values(values).on_conflict_do_nothing())
    statement = select(StandingCopy).where(StandingCopy.id == whose).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _begins(known: StandingCopy, message: CustomerStandingChanged) -> bool:
    """Whether this message shows that the newest block is another than the one that was told of."""
    if message.version > known.version:
        return message.bookings_blocked and not known.bookings_blocked
    return known.bookings_blocked and not message.bookings_blocked and known.told_version < message.version


def _tell(session: TenantSession, message: CustomerStandingChanged, known: StandingCopy) -> None:
    if known.overdue_since is None:
        return
    notify(
        session,
        Notice(
            template="bookings-blocked",
            source=f"customer:{known.id}:blocked:{known.overdue_since}",
            recipient=bill_recipient(session, message.customer),
            data={
                "standing": {"overdue_since": known.overdue_since},
                "link": LINKS.invoice(session.organization, None),
            },
        ),
    )
