"""Free and busy times of many resources at once: plain functions over rows that are already loaded (BOK-1, BOK-3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from booking.domain.intervals import Interval, clipped, merged, subtracted
from booking.domain.opening_hours import LocationCalendar


@dataclass(frozen=True, slots=True)
class Busy:
    """Some units of a resource taken for a while (a booking, a hold, or a linked resource's booking)."""

    interval: Interval
    units: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """A stretch of time with the number of units taken in it."""

    interval: Interval
    units: int


@dataclass(frozen=True, slots=True)
class BookableResource:
    """What the computation of free times needs to know about a resource."""

    id: UUID
    calendar: LocationCalendar
    capacity: int = 1
    buffer_before: timedelta = timedelta(0)
    buffer_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Availability:
    """Free and busy times of one resource inside a window; closed times are in neither."""

    resource_id: UUID
    free: tuple[Interval, ...]
    busy: tuple[Interval, ...]


def loads(busy: Iterable[Busy]) -> list[Load]:
    """The units taken at any time, as adjacent stretches of constant load (a sweep over the ends)."""
    changes: dict[datetime, int] = {}
    for item in busy:
        changes[item.interval.start] = changes.get(item.interval.start, 0) + item.units
        changes[item.interval.end] = changes.get(item.interval.end, 0) - item.units
    return list(_sweep(sorted(changes.items())))


def _sweep(changes: Sequence[tuple[datetime, int]]) -> Iterator[Load]:
    taken = 0
    for (start, change), (end, _) in pairwise(changes):
        taken += change
        if taken:
            yield Load(Interval(start, end), taken)


def peak(busy: Iterable[Busy], during: Interval) -> int:
    """The most units taken at any moment of an interval."""
    return max((load.units for load in loads(busy) if load.interval.overlaps(during)), default=0)


def full_intervals(busy: Iterable[Busy], capacity: int, wanted: int = 1) -> list[Interval]:
    """The times at which fewer than ``wanted`` units of ``capacity`` are left."""
    return merged(load.interval for load in loads(busy) if load.units > capacity - wanted)


def free_intervals(opened: Iterable[Interval], busy: Iterable[Busy], capacity: int, wanted: int = 1) -> list[Interval]:
    """The open times at which ``wanted`` units are free; none at all when more is wanted than there is."""
    if wanted > capacity:
        return []
    return subtracted(opened, full_intervals(busy, capacity, wanted))


def availability(
    resources: Iterable[BookableResource],
    busy: Mapping[UUID, Sequence[Busy]],
    window: Interval,
    *,
    wanted: int = 1,
) -> list[Availability]:
    """Free and busy times of many resources in one window, in the order given.

    ``busy`` holds the bookings per resource as they block it: each with its own buffers already around it.
    A new booking's own buffers must fit too, so free times are the times a booking itself may occupy.
    """
    opened: dict[LocationCalendar, list[Interval]] = {}
    return [_availability(resource, busy.get(resource.id, ()), window, wanted, opened) for resource in resources]


def _availability(
    resource: BookableResource,
    busy: Sequence[Busy],
    window: Interval,
    wanted: int,
    opened: dict[LocationCalendar, list[Interval]],
) -> Availability:
    calendar = resource.calendar
    if calendar not in opened:
        opened[calendar] = calendar.open_during(window)
    full = full_intervals(busy, resource.capacity, wanted)
    # A booking may start only when its buffer before it is free as well, and the like at its end: the taken times grow
    # by the buffers seen from the other side.
    blocked = [taken.widened(resource.buffer_after, resource.buffer_before) for taken in full]
    free = subtracted(opened[calendar], blocked) if wanted <= resource.capacity else []
    return Availability(resource.id, tuple(free), tuple(clipped(full, window)))


def starts(free: Iterable[Interval], duration: timedelta, step: timedelta) -> list[datetime]:
    """The starts at which a booking of a duration fits, every ``step`` from the start of each free time."""
    result: list[datetime] = []
    for interval in free:
        start = interval.start
        while start + duration <= interval.end:
            result.append(start)
            start += step
    return result
