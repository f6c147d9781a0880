"""Half-open intervals of instants and their arithmetic (BOK-1: adjacent ones never clash)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from common.clock import as_utc
from common.errors import InvalidError


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """``[start, end)`` in UTC; never empty. Raises InvalidError for an end that is not after the start."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            object.__setattr__(self, "start", as_utc(self.start))
            object.__setattr__(self, "end", as_utc(self.end))
        if self.end <= self.start:
            raise InvalidError("end_not_after_start", "The end must be after the start.")

    @property
    def duration(self) -> timedelta:
        """Elapsed time."""
        return self.end - self.start

    def overlaps(self, other: Interval) -> bool:
        """Whether they share any moment; touching ends do not count."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Interval) -> bool:
        """Whether the other lies wholly inside."""
        return self.start <= other.start and other.end <= self.end

    def clipped_to(self, window: Interval) -> Interval | None:
        """The part inside a window, or None."""
        if window.contains(self):
            return self
        start, end = max(self.start, window.start), min(self.end, window.end)
        return Interval(start, end) if start < end else None

    def widened(self, before: timedelta, after: timedelta) -> Interval:
        """The interval with buffers around it (BOK-3)."""
        return Interval(self.start - before, self.end + after)


_START = attrgetter("start")


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments as sorted intervals that neither overlap nor touch."""
    result: list[Interval] = []
    for interval in sorted(intervals, key=_START):
        if result and interval.start <= result[-1].end:
            if interval.end > result[-1].end:
                result[-1] = Interval(result[-1].start, interval.end)
        else:
            result.append(interval)
    return result


def subtracted(whole: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What is left of ``whole`` without ``taken``, merged and sorted."""
    holes = merged(taken)
    return [rest for interval in merged(whole) for rest in _without(interval, holes)]


def _without(interval: Interval, holes: list[Interval]) -> Iterator[Interval]:
    start = interval.start
    # The holes are sorted and apart: the first that may matter is found by its end.
    for hole in holes[bisect_right(holes, start, key=lambda hole: hole.end) :]:
        if hole.start >= interval.end:
            break
        if hole.start > start:
            yield Interval(start, hole.start)
        start = hole.end
    if start < interval.end:
        yield Interval(start, interval.end)


def clipped(intervals: Iterable[Interval], window: Interval) -> list[Interval]:
    """The parts of the intervals inside a window, in their order."""
    return [part for interval in intervals if (part := interval.clipped_to(window)) is not None]


def covers(intervals: Iterable[Interval], wanted: Interval) -> bool:
    """Whether the union of the intervals contains all of ``wanted``."""
    return any(interval.contains(wanted) for interval in merged(intervals))
