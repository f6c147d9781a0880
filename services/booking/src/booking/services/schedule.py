"""Who is in a room when, as far as its privacy setting lets somebody see it (BOK-7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from booking.domain.intervals import Interval
from booking.domain.statuses import OCCUPYING
from booking.models import Booking, Customer
from booking.services.availability import Viewer, Wanted, find_times
from booking.services.desk import read_policies
from booking.services.windows import touches
from common.db import TenantSession
from common.errors import NotFoundError

LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class TakenTime:
    """A booking as others see it; ``name`` is None when it is not for them to know."""

    resource_id: UUID
    start: datetime
    end: datetime
    unit_no: int
    name: str | None
    is_mine: bool


def schedule(session: TenantSession, wanted: Wanted, viewer: Viewer) -> list[TakenTime]:
    """The bookings of resources in a window of at most 31 days, by start; what the viewer may not know of is left out.

    Staff see all names, members their own and those of resources with ``show_names``. Raises NotFoundError for a
    resource that does not exist for the viewer, InvalidError as `find_times`.
    """
    window, found = find_times(session, wanted, viewer, longest=LONGEST)
    if len(found) < len(set(wanted.resource_ids)):
        raise NotFoundError("resource_not_found", "there is no such resource")
    named = {times.resource.id: viewer.is_staff or read_policies(times.resource)[0].show_names for times in found}
    return [
        _taken(row, name, viewer, is_named=named[row.resource_id]) for row, name in _bookings(session, named, window)
    ]


def _bookings(
    session: TenantSession, resource_ids: Iterable[UUID], window: Interval
) -> Sequence[tuple[Booking, str | None]]:
    statement = (
        select(Booking, Customer.name)
        .outerjoin(Customer, Customer.id == func.coalesce(Booking.member_id, Booking.company_id))
        .where(
            Booking.resource_id.in_(list(resource_ids)),
            touches(window.start, window.end),
            Booking.status.in_([status.value for status in OCCUPYING]),
        )
        .order_by(Booking.starts_at, Booking.resource_id, Booking.unit_no)
    )
    now = session.now()
    return [(row, name) for row, name in session.execute(statement) if row.lifecycle.is_occupying(now)]


def _taken(row: Booking, name: str | None, viewer: Viewer, *, is_named: bool) -> TakenTime:
    is_mine = viewer.member_id is not None and row.member_id == viewer.member_id
    shown = name if is_named or is_mine else None
    return TakenTime(row.resource_id, row.starts_at, row.ends_at, row.unit_no, shown, is_mine)
