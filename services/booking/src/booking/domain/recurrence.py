"""Recurring bookings as concrete occurrences, and edits of one, this and following, or all of them (BOK-4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from booking.domain.intervals import Interval
from booking.domain.recurrence_rule import Rule
from common.clock import instant_to_wall, wall_to_instant
from common.errors import InvalidError

MAX_OCCURRENCES = 500
ExDate = date | datetime  # all of a local day, or one naive wall time


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule (RFC 5545 RRULE value) and the dates left out of it."""

    rrule: str
    exdates: tuple[ExDate, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One booking of a series. ``number`` counts the dates of the rule from 1, those left out included."""

    number: int
    wall_start: datetime
    interval: Interval


class Scope(StrEnum):
    """Which occurrences an edit touches."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


def read_exdates(texts: Iterable[str], zone: str) -> tuple[ExDate, ...]:
    """Read dates (``2027-03-29``), wall times, or instants with an offset; raises InvalidError ``exdate_invalid``."""
    return tuple(_exdate(text, zone) for text in texts)


def _exdate(text: str, zone: str) -> ExDate:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else instant_to_wall(moment, zone)
    except (OverflowError, ValueError) as error:
        raise InvalidError("exdate_invalid", f"{text!r} is neither a date nor a time.") from error


def expand(recurrence: Recurrence, first: Interval, zone: str, *, limit: int = MAX_OCCURRENCES) -> list[Occurrence]:
    """All occurrences of a series whose pattern starts with ``first``, in order of time, none touching another.

    Every occurrence keeps the local wall times of the first: a start in a DST gap shifts forward by the gap with the
    whole booking, in an overlap the first of the two instants counts. One that so runs into its neighbour ends where
    that begins, and where both would begin at once there is only one: the rule named the same time twice.

    Raises InvalidError: those of `Rule.parse`, ``recurrence_too_long`` (more than ``limit``), ``recurrence_empty``,
    ``recurrence_overlaps_itself``.
    """
    wall, length = _wall_times(first, zone)
    found: list[Occurrence] = []
    for number, start in enumerate(Rule.parse(recurrence.rrule, zone).walls(wall), start=1):
        if number > limit:
            raise InvalidError("recurrence_too_long", f"A recurrence has at most {limit} dates.")
        if start not in recurrence.exdates and start.date() not in recurrence.exdates:
            interval = first if start == wall else interval_at(start, length, zone)
            found.append(Occurrence(number, start, interval))
    if not found:
        raise InvalidError("recurrence_empty", "The recurrence has no date at all.")
    return _apart(found, length, zone)


def _wall_times(first: Interval, zone: str) -> tuple[datetime, timedelta]:
    """Start and length by the local clock; elapsed time where the clock went back past the start."""
    start, end = instant_to_wall(first.start, zone), instant_to_wall(first.end, zone)
    return start, end - start if end > start else first.duration


def interval_at(wall_start: datetime, wall_length: timedelta, zone: str) -> Interval:
    """The instants of a booking given by the local clock, shifted as a whole out of a DST gap."""
    start = wall_to_instant(wall_start, zone)
    end = wall_to_instant(wall_start + wall_length, zone)
    if _is_shifted(wall_start, zone) or end <= start:
        return Interval(start, start + wall_length)
    return Interval(start, end)


def _is_shifted(wall: datetime, zone: str) -> bool:
    return instant_to_wall(wall_to_instant(wall, zone), zone) != wall


def _apart(found: Iterable[Occurrence], length: timedelta, zone: str) -> list[Occurrence]:
    """The occurrences in order of time; raises when they overlap by the local clock.

    Where only a clock change makes two of them meet, the earlier ends where the later begins, or goes.
    """
    by_wall = sorted(found, key=lambda o: o.wall_start)
    if any(later.wall_start < earlier.wall_start + length for earlier, later in pairwise(by_wall)):
        raise InvalidError("recurrence_overlaps_itself", "The booking is longer than the time between its dates.")
    result: list[Occurrence] = []
    for occurrence in sorted(by_wall, key=lambda o: (o.interval.start, not _is_shifted(o.wall_start, zone))):
        start = occurrence.interval.start
        if result and result[-1].interval.end > start:
            earlier = result.pop()
            if earlier.interval.start < start:
                result.append(replace(earlier, interval=Interval(earlier.interval.start, start)))
        result.append(occurrence)
    return result


def touched(occurrences: Iterable[Occurrence], number: int, scope: Scope) -> list[Occurrence]:
    """The occurrences that an edit of one of them touches."""
    if scope is Scope.ALL:
        return list(occurrences)
    return [o for o in occurrences if o.number == number or (scope is Scope.FOLLOWING and o.number > number)]


def moved(occurrences: Iterable[Occurrence], edited: Occurrence, to: Interval, zone: str) -> list[Occurrence]:
    """The occurrences after one of them was moved: all by the same shift of the local clock, with its new length.

    Raises InvalidError ``recurrence_overlaps_itself``.
    """
    wall, length = _wall_times(to, zone)
    shift = wall - edited.wall_start
    result = [_moved(o, to if o.number == edited.number else None, shift, length, zone) for o in occurrences]
    return _apart(result, length, zone)


def _moved(old: Occurrence, to: Interval | None, shift: timedelta, length: timedelta, zone: str) -> Occurrence:
    wall = old.wall_start + shift
    return replace(old, wall_start=wall, interval=to or interval_at(wall, length, zone))


def split(recurrence: Recurrence, first: Interval, at: Occurrence, zone: str) -> tuple[Recurrence | None, Recurrence]:
    """The series before an occurrence (None when it is the first) and the one from it on, for "this and following".

    Both together name the same dates as the whole did.
    """
    rule = Rule.parse(recurrence.rrule, zone)
    wall, _ = _wall_times(first, zone)
    before = sum(1 for start in rule.walls(wall) if start < at.wall_start)
    rest = Recurrence(rule.continued_after(before).text(zone), _exdates(recurrence, at.wall_start, earlier=False))
    if before == 0:
        return None, rest
    head = Recurrence(rule.ended_before(at.wall_start).text(zone), _exdates(recurrence, at.wall_start, earlier=True))
    return head, rest


def _exdates(recurrence: Recurrence, at: datetime, *, earlier: bool) -> tuple[ExDate, ...]:
    """Dates of the day itself stay with both sides; they can only leave out what is there."""
    days = [(e, e.date() if isinstance(e, datetime) else e) for e in recurrence.exdates]
    return tuple(e for e, day in days if (day <= at.date() if earlier else day >= at.date()))


def without(recurrence: Recurrence, occurrence: Occurrence) -> Recurrence:
    """The series with one occurrence left out ("this" only)."""
    return replace(recurrence, exdates=(*recurrence.exdates, occurrence.wall_start))
