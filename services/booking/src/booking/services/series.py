"""Which bookings an edit touches: this one, this and the following, or all of its series (BOK-4)."""

from __future__ import annotations

from sqlalchemy import select

from booking.domain.recurrence import Scope
from booking.domain.statuses import Status
from booking.models import Booking
from common.db import TenantSession

OPEN = (Status.HELD, Status.TENTATIVE, Status.CONFIRMED)


def touched_bookings(session: TenantSession, booking: Booking, scope: Scope) -> list[Booking]:
    """The bookings of a scope that can still change, locked in the order of their ids, given in the order of time.

    The booking itself is always among them.
    """
    if booking.series_id is None or scope is Scope.THIS:
        return [booking]
    statement = select(Booking).where(
        Booking.series_id == booking.series_id, Booking.status.in_([status.value for status in OPEN])
    )
    if scope is Scope.FOLLOWING:
        statement = statement.where(Booking.number >= booking.number)
    locked = session.scalars(statement.order_by(Booking.id).with_for_update())
    rows = {row.id: row for row in locked} | {booking.id: booking}
    now = session.now()
    open_rows = [row for row in rows.values() if row is booking or row.starts_at > now]
    return sorted(open_rows, key=lambda row: row.starts_at)
