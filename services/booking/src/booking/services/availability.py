"""Free and busy times of many resources at once: a constant number of statements, whatever the number of resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from booking.domain.intervals import Interval
from booking.domain.policies import BookingPolicy
from booking.domain.rates import Buyer, Extra, Rate, RatePrice, applicable_rates, extras_on, is_offered, prices_on
from booking.domain.slots import Availability, BookableResource, Busy, availability
from booking.services.desk import read_calendar, read_policies, read_rate
from booking.services.occupancy import UNITS_PER_RESOURCE
from common.clock import end_of_day, local_date, start_of_day
from common.db import TenantSession
from common.errors import FieldError, InvalidError

MAX_WINDOW = timedelta(days=366)
PUBLIC_WINDOW = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: staff see everything (of their locations), members what they may book, the public what is public."""

    is_staff: bool = False
    member_id: UUID | None = None
    company_id: UUID | None = None
    location_ids: frozenset[UUID] | None = None  # staff of some locations only

    @property
    def is_public(self) -> bool:
        """Whether nobody we know is looking."""
        return not self.is_staff and self.member_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which resources and when: some ids, or a location's, or all; a window, or a local date."""

    resource_ids: tuple[UUID, ...] = ()
    location_id: UUID | None = None
    type: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    day: date | None = None
    units: int = 1


@dataclass(frozen=True, slots=True)
class ResourceTimes:
    """A resource, its free and busy times, the prices that hold on the day of its first free time, and its extras."""

    resource: Any
    times: Availability
    prices: tuple[RatePrice, ...]
    extras: tuple[Extra, ...]


_RESOURCES = text("""
SELECT r.id, r.version, r.number, r.name, r.type, r.capacity, r.location_id, r.visibility, r.is_free, r.published,
  r.state -> 'plan_ids' AS plan_ids, r.state -> 'booking_policy' AS booking_policy,
  r.state -> 'cancellation_policy' AS cancellation_policy, r.state -> 'amenities' AS amenities,
  l.name AS location_name, l.version AS location_version, l.timezone,
  l.state -> 'opening_hours' AS opening_hours, l.state -> 'closures' AS closures
FROM resource r JOIN location l ON l.id = r.location_id
WHERE r.organization_id = :org AND NOT r.archived AND NOT l.archived
  AND (:any_id OR r.id = ANY(CAST(:ids AS uuid[])))
  AND (CAST(:location AS uuid) IS NULL OR r.location_id = :location)
  AND (CAST(:seen AS uuid[]) IS NULL OR r.location_id = ANY(CAST(:seen AS uuid[])))
  AND (CAST(:type AS text) IS NULL OR r.type = :type)
  AND (:is_staff OR r.published)
  AND (NOT :is_public OR r.visibility = 'public')
ORDER BY r.name, r.id
""")

_PLANS = text("""
SELECT m.id, m.plan_id FROM membership m
WHERE m.organization_id = :org AND (m.member_id = :member OR (m.company_id = :company AND m.member_id IS NULL))
  AND m.status NOT IN ('cancelled', 'void') AND m.start_date <= :day AND (m.end_date IS NULL OR m.end_date >= :day)
  AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset(coalesce(m.state -> 'pauses', '[]')) AS pause (start date, "end" date)
    WHERE pause.start <= :day AND (pause."end" IS NULL OR pause."end" > :day))
""")

_LINKS = text("""
SELECT c.id, c.number, c.parent_ids FROM resource c
WHERE c.organization_id = :org AND NOT c.archived AND c.parent_ids <> '{}'
""")

# OFFSET 0 keeps the look-up by number a look-up in the index, one for each resource.
_OCCUPIED = text("""
SELECT place.root, place.own, lower(o.units) - place.number * :size AS first,
  upper(o.units) - place.number * :size AS after, lower(o.during) AS starts_at, upper(o.during) AS ends_at
FROM unnest(CAST(:roots AS bigint[]), CAST(:numbers AS bigint[]), CAST(:owns AS boolean[])) AS place (root, number, own)
CROSS JOIN LATERAL (
  SELECT x.units, x.during, x.lapses_at FROM occupancy x
  WHERE x.units && int8range(place.number * :size, (place.number + 1) * :size) AND x.during && tstzrange(:start, :end)
  OFFSET 0
) o
WHERE o.lapses_at IS NULL OR o.lapses_at > :now
""")

_RATES = text("SELECT x.state FROM resource_rate x WHERE x.organization_id = :org AND NOT x.archived")


def find_times(
    session: TenantSession, wanted: Wanted, viewer: Viewer, *, longest: timedelta = MAX_WINDOW
) -> tuple[Interval, list[ResourceTimes]]:
    """The window that was asked for, and the resources' free and busy times in it.

    Free times are those that a booking itself may occupy, with its buffers seen to: it can be made if it lies within
    one of them. For anybody but staff they begin after the minimum notice, and none begins too far ahead; what nobody
    has set a price for is not offered to them at all (DOMAIN section 0).
    Raises InvalidError ``window_missing``, ``window_too_long``.
    """
    rows = _resources(session, wanted, viewer)
    window = _window(session, wanted, rows, longest)
    buyer = _buyer(session, viewer, local_date(window.start, session.organization.timezone))
    rates = [read_rate(state) for (state,) in session.execute(_RATES, {"org": session.organization_id})]
    today = local_date(session.now(), session.organization.timezone)
    rows = [row for row in rows if _may_see(row, viewer, buyer) and _is_offered(row, rates, viewer, today)]
    policies = {row.id: read_policies(row)[0] for row in rows}
    busy = _occupied(session, rows, _reach(window, policies.values()))
    found = availability([_bookable(row, policies[row.id]) for row in rows], busy, window, wanted=wanted.units)
    now = session.now()
    result = []
    for row, times in zip(rows, found, strict=True):
        cut = times if viewer.is_staff else _while_bookable(times, now, policies[row.id], row.timezone)
        first = cut.free[0].start if cut.free else window.start
        fitting = applicable_rates(rates, row.id, row.type, buyer)
        day = local_date(first, row.timezone)
        prices = () if row.is_free else prices_on(fitting, day)
        result.append(ResourceTimes(row, cut, prices, tuple(extras_on(fitting, day).values())))
    return window, result


def _resources(session: TenantSession, wanted: Wanted, viewer: Viewer) -> list[Any]:
    found = session.execute(
        _RESOURCES,
        {
            "org": session.organization_id,
            "any_id": not wanted.resource_ids,
            "ids": list(wanted.resource_ids),
            "location": wanted.location_id,
            "seen": None if viewer.location_ids is None else list(viewer.location_ids),
            "type": wanted.type,
            "is_staff": viewer.is_staff,
            "is_public": viewer.is_public,
        },
    )
    return list(found)


def _window(session: TenantSession, wanted: Wanted, rows: Sequence[Any], longest: timedelta) -> Interval:
    if wanted.day is not None:
        zone = rows[0].timezone if rows else session.organization.timezone
        return Interval(start_of_day(wanted.day, zone), end_of_day(wanted.day, zone))
    if wanted.start is None or wanted.end is None:
        detail = "say when: from and to, or date"
        raise InvalidError("window_missing", detail, errors=[FieldError("/from", detail)])
    window = Interval(wanted.start, wanted.end)
    if window.duration > longest:
        detail = f"at most {longest.days} days can be looked at"
        raise InvalidError("window_too_long", detail, errors=[FieldError("/to", detail)])
    return window


def _reach(window: Interval, policies: Iterable[BookingPolicy]) -> Interval:
    """The window and what is so near to it that the buffers of a booking inside it would touch it."""
    buffers = [(policy.buffer_before_minutes, policy.buffer_after_minutes) for policy in policies]
    before, after = (max(minutes) for minutes in zip((0, 0), *buffers, strict=True))
    return window.widened(timedelta(minutes=before), timedelta(minutes=after))


def _buyer(session: TenantSession, viewer: Viewer, day: date) -> Buyer:
    if viewer.member_id is None:
        return Buyer()
    parameters = {
        "org": session.organization_id,
        "member": viewer.member_id,
        "company": viewer.company_id,
        "day": day,
    }
    held = session.execute(_PLANS, parameters).all()
    memberships, plans = frozenset(row.id for row in held), frozenset(row.plan_id for row in held)
    return Buyer(viewer.member_id, viewer.company_id, memberships, plans)


def _may_see(row: Any, viewer: Viewer, buyer: Buyer) -> bool:
    if viewer.is_staff or row.visibility != "plans":
        return True
    return any(UUID(plan_id) in buyer.plan_ids for plan_id in row.plan_ids or ())


def _occupied(session: TenantSession, rows: Sequence[Any], window: Interval) -> dict[UUID, list[Busy]]:
    """What is taken, per resource: its own units, and all of it while anything below it is booked."""
    places = _places(session, rows)
    found = session.execute(
        _OCCUPIED,
        {
            "roots": [root for root, _, _ in places],
            "numbers": [number for _, number, _ in places],
            "owns": [own for _, _, own in places],
            "size": UNITS_PER_RESOURCE,
            "start": window.start,
            "end": window.end,
            "now": session.now(),
        },
    )
    busy: dict[int, list[Busy]] = {}
    for place, own, first, after, start, end in found.all():
        last = min(after - 1, rows[place].capacity) if own else rows[place].capacity
        # A unit beyond the capacity is one that was taken away: it is nobody's to book.
        if not own or first <= last:
            busy.setdefault(place, []).append(Busy(Interval(start, end), first if own else 1, last))
    return {rows[place].id: taken for place, taken in busy.items()}


def _places(session: TenantSession, rows: Sequence[Any]) -> list[tuple[int, int, bool]]:
    """(place in ``rows``, number to look up, whether it is the resource's own) for each resource and all below it."""
    below: dict[UUID, list[Any]] = {}
    for link in session.execute(_LINKS, {"org": session.organization_id}):
        for parent in link.parent_ids:
            below.setdefault(parent, []).append(link)
    places = []
    for place, row in enumerate(rows):
        places.append((place, row.number, True))
        places += [(place, number, False) for number in _below(row.id, below)]
    return places


def _below(resource_id: UUID, links: dict[UUID, list[Any]]) -> set[int]:
    found: dict[UUID, int] = {}
    waiting = [resource_id]
    while waiting:
        for link in links.get(waiting.pop(), ()):
            if link.id not in found:
                found[link.id] = link.number
                waiting.append(link.id)
    return set(found.values())


def _bookable(row: Any, policy: BookingPolicy) -> BookableResource:
    calendar = policy.calendar_in(read_calendar(row.location_id, row.location_version, row))
    return BookableResource(
        row.id,
        calendar,
        row.capacity,
        timedelta(minutes=policy.buffer_before_minutes),
        timedelta(minutes=policy.buffer_after_minutes),
    )


def _while_bookable(times: Availability, now: datetime, policy: BookingPolicy, zone: str) -> Availability:
    """Free times as far as the minimum notice and the furthest day ahead let members book."""
    earliest = now + timedelta(minutes=policy.min_notice_minutes)
    ahead = policy.furthest_days_ahead
    latest = None if ahead is None else start_of_day(local_date(now, zone) + timedelta(days=ahead + 1), zone)
    free = tuple(
        Interval(max(interval.start, earliest), interval.end)
        for interval in times.free
        if interval.end > earliest and (latest is None or interval.start < latest)
    )
    return Availability(times.resource_id, free, times.busy)


def _is_offered(row: Any, rates: Sequence[Rate], viewer: Viewer, today: date) -> bool:
    return viewer.is_staff or row.is_free or is_offered(rates, row.id, row.type, today, to_all=viewer.is_public)
