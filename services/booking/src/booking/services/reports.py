"""How much resources are used, and what the checklist should know about bookings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from booking.domain.intervals import Interval
from booking.domain.statuses import Status
from booking.models import Booking
from booking.services.desk import read_calendar, read_policies
from common.db import TenantSession
from common.money import Money

_HOUR = timedelta(hours=1)

_USE = text("""
SELECT r.id, r.version, r.name, r.type, r.capacity, r.location_id, r.visibility, r.state -> 'plan_ids' AS plan_ids,
  r.state -> 'booking_policy' AS booking_policy, r.state -> 'cancellation_policy' AS cancellation_policy,
  l.version AS location_version, l.name AS location_name, l.timezone,
  l.state -> 'opening_hours' AS opening_hours, l.state -> 'closures' AS closures,
  count(b.id) AS bookings,
  coalesce(sum(extract(epoch FROM least(b.ends_at, :end) - greatest(b.starts_at, :start)))
    FILTER (WHERE b.id IS NOT NULL), 0)::bigint AS seconds,
  coalesce(sum(b.price_minor) FILTER (WHERE b.starts_at >= :start), 0)::bigint AS price_minor
FROM resource r JOIN location l ON l.id = r.location_id
LEFT JOIN booking b ON b.resource_id = r.id AND b.starts_at < :end AND b.ends_at > :start
  AND b.status IN ('confirmed', 'checked_in', 'completed')
WHERE r.organization_id = :org AND NOT r.archived AND (CAST(:location AS uuid) IS NULL OR r.location_id = :location)
GROUP BY r.id, l.id ORDER BY l.name, r.name, r.id
""")


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """How a resource was used in a window; hours of all its units together. ``revenue`` is of bookings that began."""

    resource_id: UUID
    resource_name: str
    location_id: UUID
    location_name: str
    bookings: int
    booked_hours: Decimal
    open_hours: Decimal
    percent: Decimal
    revenue: Money


def occupancy_report(session: TenantSession, window: Interval, location_id: UUID | None) -> list[ResourceUse]:
    """The use of every resource in a window, by bookings that took place or are to."""
    found = session.execute(
        _USE,
        {"org": session.organization_id, "start": window.start, "end": window.end, "location": location_id},
    )
    currency = session.organization.currency
    return [_use(row, window, currency) for row in found]


def _use(row: Any, window: Interval, currency: str) -> ResourceUse:
    calendar = read_policies(row)[0].calendar_in(read_calendar(row.location_id, row.location_version, row))
    opened = sum((interval.duration for interval in calendar.open_during(window)), timedelta()) * row.capacity
    booked, open_hours = _hours(timedelta(seconds=row.seconds)), _hours(opened)
    percent = (100 * booked / open_hours).quantize(Decimal("0.01")) if open_hours else Decimal(0)
    return ResourceUse(
        resource_id=row.id,
        resource_name=row.name,
        location_id=row.location_id,
        location_name=row.location_name,
        bookings=row.bookings,
        booked_hours=booked,
        open_hours=open_hours,
        percent=percent,
        revenue=Money(row.price_minor, currency),
    )


def _hours(length: timedelta) -> Decimal:
    return (Decimal(length // timedelta(seconds=1)) / 3600).quantize(Decimal("0.01"))


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts for the checklist, and what needs a person: requests that wait, payments that came too late."""
    now = session.now()
    counts = session.execute(
        select(
            func.count().filter(Booking.starts_at > now, Booking.status == Status.CONFIRMED).label("upcoming"),
            func.count().filter(Booking.starts_at > now, Booking.status == Status.TENTATIVE).label("waiting"),
            func.count().filter(Booking.cancel_reason == "paid_too_late").label("late"),
        )
    ).one()
    problems = []
    if counts.waiting:
        detail = f"{counts.waiting} booking(s) wait for approval and hold their time"
        problems.append({"code": "bookings_waiting", "detail": detail, "href": "/admin/bookings?status=tentative"})
    if counts.late:
        detail = f"{counts.late} booking(s) were paid after their time had been given to somebody else: refund them"
        problems.append({"code": "bookings_paid_too_late", "detail": detail, "href": "/admin/bookings?status=expired"})
    facts = {"bookings_upcoming": counts.upcoming, "bookings_waiting": counts.waiting, "bookings_late": counts.late}
    return {"facts": facts, "problems": problems}
