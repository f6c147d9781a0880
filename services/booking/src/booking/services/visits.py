"""Passes and check-ins (PAS-1): one pass a day however often people come; forgotten check-outs end at midnight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import insert

from booking.domain.passes import Admission, Pass, Visit, admit
from booking.domain.passes import PassUse as Use
from booking.domain.statuses import Status
from booking.models import Booking, CheckIn, Customer, DayPass, Location, Membership, PassUse, Plan
from booking.services.grants import require_good_for_a_day
from booking.services.owners import held_by
from common.clock import end_of_day, local_date, start_of_day
from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox
from contracts.booking import PassUsed


def check_in_visitor(
    session: TenantSession, member_id: UUID, location_id: UUID, *, admit_anyway: bool = False
) -> CheckIn:
    """A member comes in. A membership without day passes, or a booking here today, lets them in; else a pass does.

    ``admit_anyway`` is staff's word. Raises ConflictError ``no_pass`` and ``checked_in_already``.
    """
    member, location = _member(session, member_id), _location(session, location_id)
    now = session.now()
    # A visit that has ended by the clock keeps nobody out, whether the job has run or not.
    _end_at_midnight(session.scalars(_overdue(now).where(CheckIn.member_id == member_id).with_for_update()).all())
    pass_id = None
    if not admit_anyway and not _has_entry(session, member, location, local_date(now, location.timezone)):
        pass_id = _take_pass(session, member, location, now)
    row = CheckIn(
        member_id=member_id,
        location_id=location_id,
        pass_id=pass_id,
        checked_in_at=now,
        due_at=Visit(now).closes_at(location.timezone),
    )
    return _insert_visit(session, row)


def _insert_visit(session: TenantSession, row: CheckIn) -> CheckIn:
    values = {
        "id": new_id(),
        "organization_id": session.organization_id,
        "version": 1,
        "closed_by_system": False,
        "member_id": row.member_id,
        "location_id": row.location_id,
        "pass_id": row.pass_id,
        "checked_in_at": row.checked_in_at,
        "due_at": row.due_at,
    }
    made = session.execute(insert(CheckIn).values(values).on_conflict_do_nothing().returning(CheckIn.id)).first()
    if made is None:
        raise ConflictError("checked_in_already", "this member is checked in already")
    return session.scalars(select(CheckIn).where(CheckIn.id == made.id)).one()


def check_out(session: TenantSession, check_in: CheckIn) -> None:
    """End a locked visit. Raises ConflictError ``checked_out_already``."""
    zone = _location(session, check_in.location_id).timezone
    visit = Visit(check_in.checked_in_at, check_in.checked_out_at).check_out(session.now(), zone)
    check_in.checked_out_at = visit.checked_out_at
    check_in.due_at = None
    check_in.touch()


def close_forgotten(session: TenantSession, now: datetime, limit: int) -> int:
    """End the visits whose midnight has come; returns how many."""
    rows = session.scalars(_overdue(now).limit(limit).with_for_update(skip_locked=True)).all()
    _end_at_midnight(rows)
    return len(rows)


def _overdue(now: datetime) -> Select[CheckIn]:
    return select(CheckIn).where(CheckIn.due_at <= now).order_by(CheckIn.due_at, CheckIn.id)


def _end_at_midnight(rows: Sequence[CheckIn]) -> None:
    for row in rows:
        row.checked_out_at, row.due_at, row.closed_by_system = row.due_at, None, True
        row.touch()


def find_visit(session: TenantSession, visit_id: UUID, *, lock: bool = False) -> CheckIn:
    """A visit by id. Raises NotFoundError."""
    statement = select(CheckIn).where(CheckIn.id == visit_id)
    visit = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if visit is None:
        raise NotFoundError("check_in_not_found", "there is no such check-in")
    return visit


def give_pass(session: TenantSession, **values: Any) -> DayPass:
    """Give day passes by hand (staff): ``days``, ``member_id`` or ``company_id``, validity, locations.

    Raises InvalidError ``expires_too_early``.
    """
    zone = session.organization.timezone
    values["valid_from"] = values.get("valid_from") or local_date(session.now(), zone)
    require_good_for_a_day(values["valid_from"], values.get("expires_on"))
    row = DayPass(source="staff", remaining=values["days"], created_at=session.now(), **values)
    session.add(row)
    session.flush()
    return row


def _member(session: TenantSession, member_id: UUID) -> Customer:
    member = session.scalars(select(Customer).where(Customer.id == member_id, Customer.kind == "member")).one_or_none()
    if member is None:
        detail = "there is no such member"
        raise InvalidError("unknown_member", detail, errors=[FieldError("/member_id", detail)])
    return member


def _location(session: TenantSession, location_id: UUID) -> Location:
    location = session.scalars(select(Location).where(Location.id == location_id)).one_or_none()
    if location is None:
        detail = "there is no such location"
        raise InvalidError("unknown_location", detail, errors=[FieldError("/location_id", detail)])
    return location


def _has_entry(session: TenantSession, member: Customer, location: Location, day: date) -> bool:
    start, end = start_of_day(day, location.timezone), end_of_day(day, location.timezone)
    booked = select(Booking.id).where(
        Booking.member_id == member.id,
        Booking.location_id == location.id,
        Booking.starts_at < end,
        Booking.ends_at > start,
        Booking.status.in_([Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED]),
    )
    return session.scalars(booked.limit(1)).first() is not None or _has_membership(session, member, day)


def _has_membership(session: TenantSession, member: Customer, day: date) -> bool:
    statement = (
        select(Membership.state)
        .join(Plan, Plan.id == Membership.plan_id)
        .where(
            held_by(Membership, member.id, member.company_id),
            Membership.status.not_in(("cancelled", "void")),
            Membership.start_date <= day,
            or_(Membership.end_date.is_(None), Membership.end_date >= day),
            Plan.kind == "recurring",
        )
    )
    return any(not state.get("passes") and not _paused(state, day) for state in session.scalars(statement))


def _paused(state: dict[str, Any], day: date) -> bool:
    text = day.isoformat()
    return any(p["start"] <= text < (p.get("end") or "9999-12-31") for p in state.get("pauses") or ())


def _take_pass(session: TenantSession, member: Customer, location: Location, now: datetime) -> UUID:
    """Take a day from a pass unless this is not the first visit today; the passes are locked, so none is used twice."""
    mine = held_by(DayPass, member.id, member.company_id)
    rows = {row.id: row for row in session.scalars(select(DayPass).where(mine).order_by(DayPass.id).with_for_update())}
    day = local_date(now, location.timezone)
    used = session.scalars(
        select(PassUse).where(PassUse.member_id == member.id, PassUse.location_id == location.id, PassUse.day == day)
    )
    passes = [_pass(row) for row in rows.values()]
    uses = [Use(row.pass_id, row.member_id, row.location_id, row.day) for row in used]
    admission = admit(passes, uses, member.id, location.id, now, location.timezone)
    if admission.is_new:
        _use_up(session, rows[admission.pass_id], admission, member, location, day)
    return admission.pass_id


def _pass(row: DayPass) -> Pass:
    return Pass(
        row.id,
        row.remaining,
        row.valid_from,
        row.expires_on,
        is_shared=row.company_id is not None,
        location_ids=frozenset(row.location_ids),
    )


def _use_up(
    session: TenantSession, row: DayPass, admission: Admission, member: Customer, location: Location, day: date
) -> None:
    row.remaining -= 1
    row.touch()
    session.add(PassUse(pass_id=admission.pass_id, member_id=member.id, location_id=location.id, day=day))
    session.flush()
    message = PassUsed(
        pass_id=row.id,
        member_id=member.id,
        company_id=row.company_id,
        location_id=location.id,
        day=day,
        remaining=row.remaining,
        version=row.version,
    )
    outbox.add(session, message, aggregate_id=row.id, aggregate_version=row.version)
