"""Spending credits: grants are locked before they are drawn on, so the last credit is spent once (CRD-3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select

from booking.domain.credit_ledger import EntryKind
from booking.domain.credits import (
    CreditScope,
    CreditTarget,
    Draw,
    Grant,
    available_hours,
    draw,
    settle_cancellation,
)
from booking.models import Booking, CreditEntry, CreditGrant
from booking.services.owners import held_by
from common.db import TenantSession


class Wallet:
    """The grants that a customer may spend on a booking; to reserve from, they must be locked."""

    def __init__(self, session: TenantSession, rows: Iterable[CreditGrant]) -> None:
        self._session = session
        self._rows = {row.id: row for row in rows}
        self._grants = {row.id: read_grant(row) for row in self._rows.values()}

    def available(self, target: CreditTarget) -> Decimal:
        """Hours that could be spent on a meeting."""
        return available_hours(self._grants.values(), target)

    def count_on(self, target: CreditTarget, hours: Decimal) -> list[Draw]:
        """Reckon with hours being gone; raises ConflictError ``credits_insufficient``."""
        parts = draw(self._grants.values(), target, hours)
        for part in parts:
            grant = self._grants[part.grant_id]
            self._grants[part.grant_id] = replace(grant, available=grant.available - part.hours)
        return parts

    def reserve(self, booking_id: UUID, target: CreditTarget, hours: Decimal) -> None:
        """Set hours aside for a booking; raises ConflictError ``credits_insufficient``."""
        for part in self.count_on(target, hours):
            self._rows[part.grant_id].reserved += part.hours
            _enter(self._session, part, EntryKind.RESERVE, booking_id)


def read_grant(row: CreditGrant) -> Grant:
    """A grant as the rules of the domain see it."""
    return Grant(
        row.id,
        row.available,
        row.valid_from,
        row.expires_on,
        is_company=row.company_id is not None,
        scope=CreditScope(
            frozenset(UUID(value) for value in row.scope.get("resource_ids", ())),
            frozenset(row.scope.get("resource_types", ())),
            frozenset(UUID(value) for value in row.scope.get("location_ids", ())),
        ),
    )


def open_wallet(
    session: TenantSession,
    *,
    member_id: UUID | None,
    company_id: UUID | None,
    days: tuple[date, date],
    lock: bool,
) -> Wallet:
    """The grants of a member and of a company for meetings from one day to another; locked by id when told so."""
    statement = (
        select(CreditGrant)
        .where(
            held_by(CreditGrant, member_id, company_id),
            CreditGrant.valid_from <= days[1],
            or_(CreditGrant.expires_on.is_(None), CreditGrant.expires_on > days[0]),
            CreditGrant.hours > CreditGrant.reserved + CreditGrant.consumed + CreditGrant.expired,
        )
        .order_by(CreditGrant.id)
        .execution_options(populate_existing=lock)
    )
    return Wallet(session, session.scalars(statement.with_for_update() if lock else statement))


def give_back(session: TenantSession, booking: Booking, forfeited: Decimal = Decimal(0)) -> None:
    """End a booking's reservations: ``forfeited`` hours are consumed, the rest returns to the same grants (CRD-3).

    What returns to a grant that has expired meanwhile, expires.
    """
    held = reserved_draws(session, booking.id)
    if not held:
        return
    rows = lock_grants(session, [part.grant_id for part in held])
    settlement = settle_cancellation(held, forfeited)
    for part in settlement.forfeited:
        _consume(session, rows[part.grant_id], part, booking.id)
    for part in settlement.released:
        row = rows[part.grant_id]
        row.reserved -= part.hours
        _enter(session, part, EntryKind.RELEASE, booking.id)
        if row.expires_on is not None and row.due_at is None:
            row.expired += part.hours
            _enter(session, part, EntryKind.EXPIRE, None)


def consume_reserved(session: TenantSession, booking_id: UUID) -> None:
    """A booking took place: what it reserved is spent."""
    held = reserved_draws(session, booking_id)
    if not held:
        return
    rows = lock_grants(session, [part.grant_id for part in held])
    for part in held:
        _consume(session, rows[part.grant_id], part, booking_id)


def reserved_draws(session: TenantSession, booking_id: UUID) -> list[Draw]:
    """What a booking has reserved and not yet consumed or given back, per grant, first reserved first."""
    session.flush()
    entries = session.scalars(select(CreditEntry).where(CreditEntry.booking_id == booking_id).order_by(CreditEntry.id))
    held: dict[UUID, Decimal] = {}
    for entry in entries:
        sign = 1 if entry.kind == EntryKind.RESERVE else -1
        held[entry.grant_id] = held.get(entry.grant_id, Decimal(0)) + sign * entry.hours
    return [Draw(grant_id, hours) for grant_id, hours in held.items() if hours > 0]


def lock_grants_of(session: TenantSession, booking_ids: Sequence[UUID]) -> None:
    """Lock the grants that bookings have drawn on, in the order of their ids, before ending several of them."""
    session.flush()
    drawn = session.scalars(select(CreditEntry.grant_id).where(CreditEntry.booking_id.in_(booking_ids)).distinct())
    if grant_ids := drawn.all():
        lock_grants(session, grant_ids)


def lock_customer_grants(session: TenantSession, member_id: UUID | None, company_id: UUID | None) -> None:
    """Lock everything that a customer could draw on, before giving back and drawing anew."""
    statement = select(CreditGrant.id).where(held_by(CreditGrant, member_id, company_id)).order_by(CreditGrant.id)
    session.execute(statement.with_for_update())


def lock_grants(session: TenantSession, grant_ids: Iterable[UUID]) -> dict[UUID, CreditGrant]:
    """Grants by id, locked in the order of their ids, as they are now."""
    statement = select(CreditGrant).where(CreditGrant.id.in_(list(grant_ids))).order_by(CreditGrant.id)
    rows = session.scalars(statement.with_for_update())
    return {row.id: row for row in rows}


def enter_grant(session: TenantSession, row: CreditGrant) -> None:
    """Write a new grant and its first ledger line."""
    session.add(row)
    session.flush()
    _enter(session, Draw(row.id, row.hours), EntryKind.GRANT, None)


def fit_hours(session: TenantSession, row: CreditGrant, hours: Decimal) -> None:
    """Make a locked grant worth so many hours: what is missing is granted, what is too much and unused expires."""
    worth = row.hours - row.expired
    if hours > worth:
        add_hours(session, row, hours - worth)
    elif (surplus := min(worth - hours, row.available)) > 0:
        row.expired += surplus
        _enter(session, Draw(row.id, surplus), EntryKind.EXPIRE, None)
    session.flush()


def add_hours(session: TenantSession, row: CreditGrant, hours: Decimal) -> None:
    """Make a locked grant worth more; nothing happens for no hours or less."""
    if hours > 0:
        row.hours += hours
        _enter(session, Draw(row.id, hours), EntryKind.GRANT, None)


def expire_grant(session: TenantSession, row: CreditGrant) -> Decimal:
    """End a locked grant: what is available goes, what is reserved stays. Returns the hours that went."""
    left = row.available
    if left > 0:
        row.expired += left
        _enter(session, Draw(row.id, left), EntryKind.EXPIRE, None)
    row.due_at = None
    return left


def _consume(session: TenantSession, row: CreditGrant, part: Draw, booking_id: UUID) -> None:
    row.reserved -= part.hours
    row.consumed += part.hours
    _enter(session, part, EntryKind.CONSUME, booking_id)


def _enter(session: TenantSession, part: Draw, kind: EntryKind, booking_id: UUID | None) -> None:
    at: datetime = session.now()
    session.add(CreditEntry(grant_id=part.grant_id, kind=kind, hours=part.hours, booking_id=booking_id, at=at))
