"""Credits and passes that memberships grant, month by month (CRD-1), and those given by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from booking.domain.credit_ledger import EntryKind
from booking.domain.credits import CreditTerms, MonthlyGrant, grant_for_month, month_of
from booking.models import CreditEntry, CreditGrant, DayPass, Location, Membership
from booking.services.owners import held_by
from booking.services.wallets import add_hours, enter_grant, expire_grant, fit_hours, lock_grants
from common.clock import local_date, start_of_day
from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.ids import new_id

_DEAD = ("cancelled", "void")


def zone_of(session: TenantSession, location_id: UUID | None) -> str:
    """A location's time zone, the organisation's without one."""
    zone = None
    if location_id is not None:
        zone = session.scalar(select(Location.timezone).where(Location.id == location_id))
    return zone or session.organization.timezone


def terms_of(membership: Membership, *, hours: Decimal | None = None) -> CreditTerms:
    """What a membership grants each month."""
    state = membership.state
    pauses = tuple(
        (date.fromisoformat(pause["start"]), date.fromisoformat(pause["end"]) if pause.get("end") else None)
        for pause in state.get("pauses") or ()
    )
    amount = Decimal(state.get("credits_hours") or 0) if hours is None else hours
    return CreditTerms(
        Decimal(0) if membership.status in _DEAD else amount,
        membership.start_date,
        membership.end_date,
        pauses,
        Decimal(state.get("credits_carry_over_cap") or 0),
    )


def ensure_month_grants(
    session: TenantSession, member_id: UUID | None, company_id: UUID | None, months: Sequence[date]
) -> None:
    """Make the grants for the months of some meetings, also before these months begin; what is there stays."""
    statement = (
        select(Membership)
        .where(
            held_by(Membership, member_id, company_id),
            Membership.status.not_in(_DEAD),
        )
        .order_by(Membership.id)
    )
    for membership in session.scalars(statement):
        for month in months:
            _make_month_grant(session, membership, month)


def _make_month_grant(session: TenantSession, membership: Membership, month: date) -> None:
    terms = terms_of(membership)
    made = grant_for_month(terms, month) if terms.hours > 0 else None
    if made is None:
        return
    _insert_grant(session, membership, made, "membership")


def _insert_grant(session: TenantSession, membership: Membership, made: MonthlyGrant, source: str) -> bool:
    """One statement decides who makes it: two at once make one grant. Returns whether it was made here."""
    table = CreditGrant.__table__
    grant_id, zone = new_id(), zone_of(session, membership.location_id)
    statement = insert(CreditGrant).values(
        id=grant_id,
        organization_id=session.organization_id,
        member_id=membership.member_id,
        company_id=membership.company_id if membership.member_id is None else None,
        membership_id=membership.id,
        source=source,
        hours=made.hours,
        reserved=0,
        consumed=0,
        expired=0,
        valid_from=made.valid_from,
        expires_on=made.expires_on,
        scope={},
        note=membership.state.get("plan_name"),
        due_at=start_of_day(made.expires_on, zone),
        created_at=session.now(),
    )
    new = session.execute(statement.on_conflict_do_nothing().returning(table.c.id)).first()
    if new is not None:
        _enter(session, grant_id, EntryKind.GRANT, made.hours)
    return new is not None


def _enter(session: TenantSession, grant_id: UUID, kind: EntryKind, hours: Decimal) -> None:
    session.add(CreditEntry(grant_id=grant_id, kind=kind, hours=hours, booking_id=None, at=session.now()))
    session.flush()


def plan_grants(session: TenantSession, membership: Membership) -> None:
    """After a membership changed: note when it grants next, and make what it grants this month fit its terms."""
    state = membership.state
    gives = Decimal(state.get("credits_hours") or 0) > 0 or int(state.get("passes") or 0) > 0
    zone = zone_of(session, membership.location_id)
    today = local_date(session.now(), zone)
    if not gives or membership.status in _DEAD:
        membership.grant_due_at = None
    else:
        membership.grant_due_at = start_of_day(max(membership.start_date, month_of(today)[0]), zone)
    session.flush()
    _fit_grants(session, membership, month_of(today)[0])
    _fit_passes(session, membership, month_of(today)[0])


def _fit_grants(session: TenantSession, membership: Membership, month: date) -> None:
    """Grants of this and later months follow the terms: more hours are added, what is too much expires.

    What was carried over stays as it is, unless the membership counts no more.
    """
    statement = select(CreditGrant.id).where(CreditGrant.membership_id == membership.id, CreditGrant.expires_on > month)
    if membership.status not in _DEAD:
        statement = statement.where(CreditGrant.source == "membership")
    terms = terms_of(membership)
    rows = lock_grants(session, session.scalars(statement).all()).values()
    taken = {row.valid_from for row in rows}
    for row in rows:
        due = grant_for_month(terms, row.valid_from)
        if due is not None and due.valid_from not in taken:
            row.valid_from = due.valid_from  # another first day is no reason for a second grant
        fit_hours(session, row, due.hours if due else Decimal(0))


def _fit_passes(session: TenantSession, membership: Membership, month: date) -> None:
    """Day passes of this and later months follow the terms like the credits; days that were used stay used."""
    statement = select(DayPass).where(DayPass.membership_id == membership.id, DayPass.expires_on > month)
    terms = terms_of(membership, hours=Decimal(membership.state.get("passes") or 0))
    rows = session.scalars(statement.order_by(DayPass.id).with_for_update()).all()
    taken = {row.valid_from for row in rows}
    for row in rows:
        due = grant_for_month(terms, row.valid_from)
        if due is not None and due.valid_from not in taken:
            row.valid_from = due.valid_from
        used = row.days - row.remaining
        row.days = max(int(due.hours) if due else 0, used)
        row.remaining = row.days - used
        row.touch()
    session.flush()


def grant_monthly(session: TenantSession, membership: Membership) -> None:
    """Make the grants of the month that has come for a locked membership, and note the next."""
    if membership.grant_due_at is None:
        return
    zone = zone_of(session, membership.location_id)
    month, after = month_of(local_date(membership.grant_due_at, zone))
    _make_month_grant(session, membership, month)
    _make_pass(session, membership, month)
    over = membership.end_date is not None and membership.end_date < after
    membership.grant_due_at = None if over else start_of_day(after, zone)


def _make_pass(session: TenantSession, membership: Membership, month: date) -> None:
    days = int(membership.state.get("passes") or 0)
    made = grant_for_month(terms_of(membership, hours=Decimal(days)), month) if days else None
    if made is None:
        return
    statement = insert(DayPass).values(
        id=new_id(),
        organization_id=session.organization_id,
        version=1,
        member_id=membership.member_id,
        company_id=membership.company_id if membership.member_id is None else None,
        membership_id=membership.id,
        source="membership",
        days=days,
        remaining=days,
        valid_from=made.valid_from,
        expires_on=made.expires_on,
        location_ids=[],
        note=membership.state.get("plan_name"),
        created_at=session.now(),
    )
    session.execute(statement.on_conflict_do_nothing())


def expire_due_grants(session: TenantSession, now: datetime, limit: int) -> int:
    """Expire the grants whose day has come, and carry over what the plan allows; returns how many there were."""
    statement = (
        select(CreditGrant)
        .where(CreditGrant.due_at <= now)
        .order_by(CreditGrant.due_at, CreditGrant.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(statement).all()
    left: dict[tuple[UUID, date], Decimal] = {}
    for row in rows:
        hours = expire_grant(session, row)
        if row.membership_id is not None and row.expires_on is not None:
            key = (row.membership_id, row.expires_on)
            left[key] = left.get(key, Decimal(0)) + hours
    session.flush()
    for (membership_id, month), hours in left.items():
        _carry_over(session, membership_id, month, hours)
    return len(rows)


def _carry_over(session: TenantSession, membership_id: UUID, month: date, hours: Decimal) -> None:
    membership = session.get(Membership, membership_id)
    if membership is None or membership.status in _DEAD or hours <= 0:
        return
    made = grant_for_month(terms_of(membership), month, hours)
    if made is None or made.carried <= 0:
        return
    carried = MonthlyGrant(made.carried, made.carried, made.valid_from, made.expires_on)
    if not _insert_grant(session, membership, carried, "carry_over"):
        _carry_more(session, membership, carried)


def _carry_more(session: TenantSession, membership: Membership, carried: MonthlyGrant) -> None:
    """What is left of a month may expire in several batches: what comes later joins what was carried, up to the cap."""
    statement = select(CreditGrant.id).where(
        CreditGrant.membership_id == membership.id,
        CreditGrant.valid_from == carried.valid_from,
        CreditGrant.source == "carry_over",
    )
    for row in lock_grants(session, session.scalars(statement).all()).values():
        add_hours(session, row, min(carried.carried, terms_of(membership).carry_over_cap - row.hours))


def grant_credits(session: TenantSession, **values: Any) -> CreditGrant:
    """Give credits by hand (staff): ``hours``, ``member_id`` or ``company_id``, ``valid_from`` (today unless told)…

    Raises InvalidError ``expires_too_early``.
    """
    zone = session.organization.timezone
    expires_on = values.get("expires_on")
    values["valid_from"] = values.get("valid_from") or local_date(session.now(), zone)
    require_good_for_a_day(values["valid_from"], expires_on)
    row = CreditGrant(
        source="staff",
        due_at=start_of_day(expires_on, zone) if expires_on else None,
        created_at=session.now(),
        **values,
    )
    row.reserved = row.consumed = row.expired = Decimal(0)
    enter_grant(session, row)
    return row


def require_good_for_a_day(valid_from: date, expires_on: date | None) -> None:
    """Raise InvalidError ``expires_too_early`` for credits or passes that would be good on no day at all."""
    if expires_on is not None and expires_on <= valid_from:
        detail = f"must be after {valid_from.isoformat()}, the first day on which it is good"
        raise InvalidError("expires_too_early", detail, errors=[FieldError("/expires_on", detail)])


def balances_of(rows: Iterable[CreditGrant]) -> dict[str, Decimal]:
    """Sums over grants, in hours."""
    listed = list(rows)
    return {
        "granted": sum((row.hours for row in listed), Decimal(0)),
        "reserved": sum((row.reserved for row in listed), Decimal(0)),
        "consumed": sum((row.consumed for row in listed), Decimal(0)),
        "expired": sum((row.expired for row in listed), Decimal(0)),
        "available": sum((row.available for row in listed), Decimal(0)),
    }


def grant_due_months(session: TenantSession, now: datetime, limit: int) -> int:
    """Make the monthly grants that are due, earliest first; returns how many memberships got theirs."""
    statement = (
        select(Membership)
        .where(Membership.grant_due_at <= now)
        .order_by(Membership.grant_due_at, Membership.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(statement).all()
    for membership in rows:
        grant_monthly(session, membership)
    return len(rows)
