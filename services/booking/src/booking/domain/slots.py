"""Free and busy times of many resources at once: plain functions over rows that are already loaded (BOK-1, BOK-3).

A booking takes one unit of its resource from beginning to end. So a time is free only if one unit is free throughout;
that somebody could change places half-way does not help.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from uuid import UUID

from booking.domain.intervals import Interval, clipped, merged, subtracted
from booking.domain.opening_hours import LocationCalendar


@dataclass(frozen=True, slots=True)
class Busy:
    """Units ``first`` to ``last`` taken for a while (by a booking or a hold, of the resource or of a linked one)."""

    interval: Interval
    first: int = 1
    last: int = 1

    @property
    def units(self) -> int:
        """How many."""
        return self.last - self.first + 1


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
    """Free and busy times of one resource inside a window; closed times are in neither.

    ``free``: the longest intervals throughout which as many units as wanted are free; with several units they may
    overlap, and none is inside another. ``busy``: the times at which fewer units are left.
    """

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


def full_intervals(busy: Iterable[Busy], capacity: int, wanted: int = 1) -> list[Interval]:
    """The times at which fewer than ``wanted`` units of ``capacity`` are left."""
    items, most = list(busy), capacity - wanted
    # What leaves too little all by itself needs no adding up; with one unit, that is everything.
    alone = [item.interval for item in items if item.units > most]
    rest = [item for item in items if item.units <= most]
    return merged([*alone, *(load.interval for load in loads(rest) if load.units > most)])


def free_intervals(opened: Iterable[Interval], busy: Iterable[Busy], capacity: int, wanted: int = 1) -> list[Interval]:
    """The longest open intervals throughout which ``wanted`` units are free, by start."""
    if wanted > capacity:
        return []
    everywhere: list[Interval] = []
    taken: dict[int, list[Interval]] = {}
    for item in busy:
        if item.units >= capacity:
            everywhere.append(item.interval)
        else:
            for unit in range(item.first, item.last + 1):
                taken.setdefault(unit, []).append(item.interval)
    free = subtracted(opened, everywhere)
    if capacity - len(taken) >= wanted:
        return free
    untouched = [free] * (capacity - len(taken))
    return _throughout([*untouched, *(subtracted(free, intervals) for intervals in taken.values())], wanted)


def _throughout(units: Iterable[Sequence[Interval]], wanted: int) -> list[Interval]:
    """The longest intervals throughout which ``wanted`` of the units are free; each unit's times are apart."""
    pieces = sorted(interval for free in units for interval in free)
    ends: list[datetime] = []
    found: list[Interval] = []
    for start, begun in groupby(pieces, key=lambda piece: piece.start):
        del ends[: bisect_right(ends, start)]
        for piece in begun:
            insort(ends, piece.end)
        if len(ends) >= wanted and (not found or ends[-wanted] > found[-1].end):
            found.append(Interval(start, ends[-wanted]))
    return found


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
    # A booking may start only when its buffer before it is free as well, and the like at its end: the taken times grow
    # by the buffers seen from the other side.
    before, after = resource.buffer_after, resource.buffer_before
    grown = [replace(item, interval=item.interval.widened(before, after)) for item in busy] if before or after else busy
    free = free_intervals(opened[calendar], grown, resource.capacity, wanted)
    full = full_intervals(busy, resource.capacity, wanted)
    return Availability(resource.id, tuple(free), tuple(clipped(full, window)))
