"""Clocks of rehearsal organisations (ARCHITECTURE section 5): the gateway moves them step by step towards a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common import audit
from common.db import TenantSession
from common.db.database import Organization
from common.db.plumbing import organization_table
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import encode_id
from common.jobs import wake_scheduler
from common.messaging import outbox
from members.messages.publishes import clock_advanced
from members.models import ClockTarget
from members.services.organizations import business_now, lock_organization, update_organization


@dataclass(frozen=True, slots=True)
class ClockReading:
    """An organisation's clock; ``target`` is where it is being moved to, None once it is there."""

    organization_id: UUID
    mode: str
    now: datetime
    target: datetime | None
    clock_version: int


def read_clock(session: TenantSession, organization_id: UUID) -> ClockReading:
    """An organisation's clock as it stands. Raises NotFoundError."""
    table = organization_table
    row = session.execute(select(table).where(table.c.id == organization_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("organization_not_found", "there is no such organisation")
    return _reading(session, Organization(**row))


def move_clock(session: TenantSession, organization_id: UUID, *, expected_now: datetime, to: datetime) -> ClockReading:
    """Move a clock from ``expected_now`` to ``to`` and announce it.

    Raises ConflictError("clock_is_real") for a live organisation, ConflictError("clock_moved") when the clock stands
    elsewhere, InvalidError when it would go back.
    """
    organization = _lock_rehearsal(session, organization_id)
    now = business_now(session, organization)
    if now != expected_now:
        raise ConflictError(
            "clock_moved", "the clock has been moved meanwhile", extra={"now": now.isoformat().replace("+00:00", "Z")}
        )
    _refuse_past(now, to)
    moved = update_organization(session, organization, clock_now=to, clock_version=organization.clock_version + 1)
    outbox.add(session, clock_advanced(moved, to), aggregate_id=moved.id, aggregate_version=moved.clock_version)
    wake_scheduler(session)
    return _reading(session, moved)


def set_target(session: TenantSession, organization_id: UUID, to: datetime) -> ClockReading:
    """Store where a clock is to be moved to; a later target that stands already is kept.

    Raises ConflictError("clock_is_real") for a live organisation and InvalidError for a time before its now.
    """
    organization = _lock_rehearsal(session, organization_id)
    _refuse_past(business_now(session, organization), to)
    statement = insert(ClockTarget).values(id=organization_id, organization_id=organization_id, target=to)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id"],
            set_={"target": func.greatest(ClockTarget.target, statement.excluded.target)},
        )
    )
    audit.record(session, "clock.advanced", encode_id("org", organization_id), {"to": to})
    session.flush()
    return _reading(session, organization)


def open_targets(session: TenantSession) -> list[ClockReading]:
    """Clocks that have not reached their targets (interrupted advances), in a session of all organisations."""
    table = organization_table
    statement = select(table).join(ClockTarget, ClockTarget.organization_id == table.c.id)
    rows = session.execute(statement.where(ClockTarget.target > table.c.clock_now).order_by(table.c.id)).mappings()
    return [_reading(session, Organization(**row)) for row in rows.all()]


def _lock_rehearsal(session: TenantSession, organization_id: UUID) -> Organization:
    organization = lock_organization(session, organization_id)
    if organization.mode != "rehearsal":
        raise ConflictError("clock_is_real", "a live organisation has the real time; only a rehearsal's can be moved")
    return organization


def _refuse_past(now: datetime, to: datetime) -> None:
    if to < now:
        raise InvalidError("clock_goes_back", "a clock never goes back; choose a later time")


def _reading(session: TenantSession, organization: Organization) -> ClockReading:
    now = business_now(session, organization)
    target = session.scalar(select(ClockTarget.target).where(ClockTarget.organization_id == organization.id))
    return ClockReading(
        organization_id=organization.id,
        mode=organization.mode,
        now=now,
        target=target if target is not None and organization.mode == "rehearsal" and target > now else None,
        clock_version=organization.clock_version,
    )
