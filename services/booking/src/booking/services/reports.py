"""Reports: how much resources are used and locations visited, by days of the location's zone.

A constant number of statements, whatever the number of resources, bookings and periods.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from booking.domain.intervals import Interval
from booking.domain.opening_hours import LocationCalendar
from booking.domain.report_periods import Period, edges_in, shared_out
from booking.services.desk import read_calendar, read_policies
from common.db import TenantSession
from common.money import Money

_RESOURCES = text("""
SELECT r.id, r.version, r.name, r.type, r.capacity, r.location_id, r.visibility, r.state -> 'plan_ids' AS plan_ids,
  r.state -> 'booking_policy' AS booking_policy, r.state -> 'cancellation_policy' AS cancellation_policy,
  l.version AS location_version, l.name AS location_name, l.timezone,
  l.state -> 'opening_hours' AS opening_hours, l.state -> 'closures' AS closures
FROM resource r JOIN location l ON l.id = r.location_id
WHERE r.organization_id = :org AND NOT r.archived
  AND (CAST(:locations AS uuid[]) IS NULL OR r.location_id = ANY(CAST(:locations AS uuid[])))
  AND (CAST(:resource AS uuid) IS NULL OR r.id = :resource)
ORDER BY l.name, r.name, r.id
""")

_LOCATIONS = text("""
SELECT l.id, l.name, l.timezone FROM location l
WHERE l.organization_id = :org AND NOT l.archived
  AND (CAST(:locations AS uuid[]) IS NULL OR l.id = ANY(CAST(:locations AS uuid[])))
ORDER BY l.name, l.id
""")

# The edges of the periods differ from zone to zone; `width_bucket` finds the period of an instant among them.
_EDGES = """
WITH place AS (
  SELECT e.location_id, array_agg(e.edge ORDER BY e.edge) AS edges
  FROM unnest(CAST(:edge_locations AS uuid[]), CAST(:edges AS timestamptz[])) AS e (location_id, edge)
  GROUP BY e.location_id
)
"""

# Short bookings begin at most a day before the window; the few longer ones have an index of their own (`LONG_BOOKING`).
# As an array, like `windows.touches`: PostgreSQL takes the long ones for many, and would start workers.
_TOUCHING = """
b.id = ANY (ARRAY(
  SELECT id FROM booking
  WHERE organization_id = :org AND starts_at < :until AND ends_at > :since
    AND starts_at > CAST(:since AS timestamptz) - interval '24 hours' AND NOT ends_at - starts_at > interval '24 hours'
  UNION ALL
  SELECT id FROM booking
  WHERE organization_id = :org AND starts_at < :until AND ends_at > :since
    AND ends_at - starts_at > interval '24 hours'))
"""

_USE = text(
    _EDGES
    + """
SELECT b.resource_id, n.number,
  coalesce(sum(extract(epoch FROM least(b.ends_at, p.edges[n.number + 1]) - greatest(b.starts_at, p.edges[n.number])))
    FILTER (WHERE b.status IN ('confirmed', 'checked_in', 'completed')), 0)::bigint AS seconds,
  count(*) FILTER (WHERE begun.here AND b.status IN ('confirmed', 'checked_in', 'completed')) AS bookings,
  coalesce(sum(b.price_minor)
    FILTER (WHERE begun.here AND b.status IN ('confirmed', 'checked_in', 'completed')), 0)::bigint AS price_minor,
  count(*) FILTER (WHERE begun.here AND b.status = 'no_show') AS no_shows,
  count(*) FILTER (WHERE begun.here AND b.status = 'cancelled') AS cancelled,
  coalesce(sum(b.cancellation_fee_minor) FILTER (WHERE begun.here), 0)::bigint AS fee_minor
FROM booking b JOIN place p ON p.location_id = b.location_id
CROSS JOIN LATERAL generate_series(
  greatest(width_bucket(b.starts_at, p.edges), 1),
  least(width_bucket(b.ends_at - interval '1 microsecond', p.edges), cardinality(p.edges) - 1)) AS n (number)
CROSS JOIN LATERAL (SELECT b.starts_at >= p.edges[n.number] AS here) begun
WHERE """
    + _TOUCHING
    + "GROUP BY b.resource_id, n.number"
)

_VISITS = text(
    _EDGES
    + """
SELECT c.location_id, width_bucket(c.checked_in_at, p.edges) AS number, count(*) AS visits,
  count(DISTINCT c.member_id) AS visitors,
  count(DISTINCT (c.member_id, CAST(c.checked_in_at AT TIME ZONE l.timezone AS date)))
    FILTER (WHERE c.pass_id IS NOT NULL) AS day_passes
FROM check_in c JOIN place p ON p.location_id = c.location_id JOIN location l ON l.id = c.location_id
WHERE c.organization_id = :org AND c.checked_in_at >= :since AND c.checked_in_at < :until
  AND width_bucket(c.checked_in_at, p.edges) BETWEEN 1 AND cardinality(p.edges) - 1
GROUP BY c.location_id, number
"""
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about. ``location_ids`` None is all locations."""

    periods: Sequence[Period]
    location_ids: Collection[UUID] | None = None
    resource_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """How a resource was used in a period, by bookings that took place or are to.

    Hours are those inside the period, of all units together. Everything else is of the bookings that begin in it:
    ``revenue`` is their price, ``fees`` what was asked of those that were cancelled or missed.
    """

    resource_id: UUID
    resource_name: str
    location_id: UUID
    location_name: str
    start: date
    end: date
    bookings: int
    cancelled: int
    no_shows: int
    booked_hours: Decimal
    open_hours: Decimal
    percent: Decimal
    revenue: Money
    fees: Money
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Who came to a location in a period: check-ins, different members, and day passes used up."""

    location_id: UUID
    location_name: str
    start: date
    end: date
    visits: int
    visitors: int
    day_passes: int


def resource_use(session: TenantSession, asked: Asked) -> list[ResourceUse]:
    """The use of every resource in every period, by location, resource and time."""
    parameters = {"org": session.organization_id, "locations": _ids(asked), "resource": asked.resource_id}
    rows = session.execute(_RESOURCES, parameters).all()
    edges = {row.location_id: edges_in(asked.periods, row.timezone) for row in rows}
    found = session.execute(_USE, _window(session, edges)) if edges else ()
    used = {(use.resource_id, use.number): use for use in found}
    opened = _OpenTimes(edges)
    result = []
    for row in rows:
        times = opened.of(row)
        result += [
            _use(row, period, used.get((row.id, number)), times[number - 1], session.organization.currency)
            for number, period in enumerate(asked.periods, 1)
        ]
    return result


def location_visits(session: TenantSession, asked: Asked) -> list[Visits]:
    """The visits of every location in every period."""
    rows = session.execute(_LOCATIONS, {"org": session.organization_id, "locations": _ids(asked)}).all()
    edges = {row.id: edges_in(asked.periods, row.timezone) for row in rows}
    found = session.execute(_VISITS, _window(session, edges)) if edges else ()
    came = {(visit.location_id, visit.number): visit for visit in found}
    return [
        _visits(row, period, came.get((row.id, number)))
        for row in rows
        for number, period in enumerate(asked.periods, 1)
    ]


def _ids(asked: Asked) -> list[UUID] | None:
    return None if asked.location_ids is None else list(asked.location_ids)


def _window(session: TenantSession, edges: dict[UUID, list[datetime]]) -> dict[str, Any]:
    pairs = [(location_id, edge) for location_id, listed in edges.items() for edge in listed]
    return {
        "org": session.organization_id,
        "edge_locations": [location_id for location_id, _ in pairs],
        "edges": [edge for _, edge in pairs],
        "since": min(edge for _, edge in pairs),
        "until": max(edge for _, edge in pairs),
    }


class _OpenTimes:
    """Open time per period; resources with the same hours at one location share the answer."""

    def __init__(self, edges: dict[UUID, list[datetime]]) -> None:
        self._edges = edges
        self._known: dict[LocationCalendar, list[timedelta]] = {}

    def of(self, row: Any) -> list[timedelta]:
        """The open time of a resource in each period, of one unit."""
        calendar = read_policies(row)[0].calendar_in(read_calendar(row.location_id, row.location_version, row))
        if calendar not in self._known:
            edges = self._edges[row.location_id]
            self._known[calendar] = shared_out(calendar.open_during(Interval(edges[0], edges[-1])), edges)
        return self._known[calendar]


def _use(row: Any, period: Period, use: Any, opened: timedelta, currency: str) -> ResourceUse:
    booked = _hours(timedelta(seconds=use.seconds if use else 0))
    open_hours = _hours(opened * row.capacity)
    return ResourceUse(
        resource_id=row.id,
        resource_name=row.name,
        location_id=row.location_id,
        location_name=row.location_name,
        start=period.start,
        end=period.end,
        bookings=use.bookings if use else 0,
        cancelled=use.cancelled if use else 0,
        no_shows=use.no_shows if use else 0,
        booked_hours=booked,
        open_hours=open_hours,
        percent=(100 * booked / open_hours).quantize(Decimal("0.01")) if open_hours else Decimal(0),
        revenue=Money(use.price_minor if use else 0, currency),
        fees=Money(use.fee_minor if use else 0, currency),
        currency=currency,
    )


def _visits(row: Any, period: Period, came: Any) -> Visits:
    return Visits(
        location_id=row.id,
        location_name=row.name,
        start=period.start,
        end=period.end,
        visits=came.visits if came else 0,
        visitors=came.visitors if came else 0,
        day_passes=came.day_passes if came else 0,
    )


def _hours(length: timedelta) -> Decimal:
    return (Decimal(length // timedelta(seconds=1)) / 3600).quantize(Decimal("0.01"))
