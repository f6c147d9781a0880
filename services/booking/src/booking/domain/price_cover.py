"""The cheapest cover of a stretch of time by priced units (PRI-3), by dynamic programming over whole minutes.

``cost(t) = min over units of price + cost(max(0, t - length))``, written as shortest paths from the start of the
booking. A piece costs the same wherever the booking ends, hence any cover of a longer booking also covers a shorter
one with the same start: longer never costs less.

Costs are integers in sixtieths of a minor unit, so that a minute at an hourly price is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heappop, heappush

from booking.domain.opening_hours import LocationCalendar
from booking.domain.price_slices import Slice
from booking.domain.rates import Unit
from booking.domain.wall_time import WallTime

COST_SCALE = 60  # hourly prices are per 60 minutes
_DAY = 24 * 60
_FIXED_LENGTHS = {Unit.DAY: _DAY, Unit.WEEK: 7 * _DAY, Unit.MONTH: 30 * _DAY}


@dataclass(frozen=True, slots=True)
class Piece:
    """One unit laid over ``[start, end)`` minutes. ``cost`` is in sixtieths of a minor unit.

    ``worth`` is the unit's own length in minutes, also where it ends early or on a day of 25 hours.
    """

    unit: Unit
    start: int
    end: int
    worth: int
    cost: int
    at: int  # index of the slice in which it starts


@dataclass(slots=True)
class _Step:
    """The cheapest known way to a minute; of equally cheap ones the one of fewer pieces."""

    cost: int
    pieces: int
    last: Piece | None


class Timeline:
    """Slices laid out from ``origin``, the start of a booking, in the wall time of its location."""

    def __init__(self, origin: datetime, calendar: LocationCalendar, slices: Sequence[Slice]) -> None:
        self.slices = slices
        self._calendar = calendar
        self._starts = [part.start for part in slices]
        self._last_minutes: dict[tuple[Unit, int], int] = {}
        self._half_days: dict[int, int] = {}
        self._origin = origin

    @cached_property
    def _wall_time(self) -> WallTime:
        # Prices by the hour alone need none.
        return WallTime(self._origin, self.slices[-1].end + _FIXED_LENGTHS[Unit.MONTH], self._calendar.zone)

    def pieces_from(self, minute: int) -> Iterator[Piece]:
        """Every piece that can start at a minute."""
        at = self._index(minute)
        for unit, price in self.slices[at].prices.items():
            if unit is Unit.HOUR:
                yield self._hour_slot(minute, at)
            else:
                worth = self._worth(unit, minute)
                # A local day of 25 hours is one day; one of 23 hours may be used up to its 24th (PRI-2).
                length = worth if unit is Unit.HALF_DAY else worth + self._wall_time.gained(minute, minute + worth)
                end = min(minute + length, self._last_minute(unit, at))
                yield Piece(unit, minute, end, worth, price.price.amount_minor * COST_SCALE, at)

    def hourly_parts(self, start: int, end: int) -> Iterator[tuple[Slice, int]]:
        """The slices with an hourly price from ``start`` on, each with its minutes; stops at a slice without one."""
        for at in range(self._index(start), len(self.slices)):
            part = self.slices[at]
            if part.start >= end or Unit.HOUR not in part.prices:
                return
            yield part, min(end, part.end) - max(start, part.start)

    def _index(self, minute: int) -> int:
        return bisect_right(self._starts, minute) - 1

    def _hour_slot(self, minute: int, at: int) -> Piece:
        """One charge slot at the hourly prices it runs through (PRI-2)."""
        here = self.slices[at]
        slot = here.rate.charge_slot_minutes if here.rate else 1
        if minute + slot <= here.end:
            cost = here.prices[Unit.HOUR].price.amount_minor * slot
            return Piece(Unit.HOUR, minute, minute + slot, slot, cost, at)
        parts = list(self.hourly_parts(minute, minute + slot))
        cost = sum(part.prices[Unit.HOUR].price.amount_minor * minutes for part, minutes in parts)
        length = sum(minutes for _, minutes in parts)
        return Piece(Unit.HOUR, minute, minute + length, length, cost, at)

    def _last_minute(self, unit: Unit, at: int) -> int:
        """A day bought at one price ends where days cost something else: at weekends, say (PRI-4)."""
        known = self._last_minutes.get((unit, at))
        if known is not None:
            return known
        run = at
        while run + 1 < len(self.slices) and self._same_price(unit, run, run + 1):
            run += 1
        self._last_minutes |= {(unit, index): self.slices[run].end for index in range(at, run + 1)}
        return self.slices[run].end

    def _same_price(self, unit: Unit, one: int, other: int) -> bool:
        here, there = self.slices[one], self.slices[other]
        return here.rate is there.rate and here.prices.get(unit) == there.prices.get(unit)

    def _worth(self, unit: Unit, minute: int) -> int:
        if unit is not Unit.HALF_DAY:
            return _FIXED_LENGTHS[unit]
        day = self._wall_time.day(minute)
        if day not in self._half_days:
            self._half_days[day] = self._calendar.half_day_minutes(self._wall_time.first_day + timedelta(days=day))
        return self._half_days[day]


class CheapestCover:
    """The cheapest covers of a booking of ``minutes`` and of all its beginnings."""

    def __init__(self, timeline: Timeline, minutes: int) -> None:
        self._steps: dict[int, _Step] = {0: _Step(0, 0, None)}
        self._explore(timeline, minutes)
        # From the far end: the cheapest way to reach a minute or any later one.
        self._best: list[tuple[int, int]] = []
        for minute in sorted(self._steps, reverse=True):
            if not self._best or self._order(minute) < self._order(self._best[-1][1]):
                self._best.append((minute, minute))
            else:
                self._best.append((minute, self._best[-1][1]))
        self._best.reverse()
        self._reached = [minute for minute, _ in self._best]

    def cost(self, minutes: int) -> int:
        """Cost of the first ``minutes``, in sixtieths of a minor unit."""
        return self._steps[self._end_for(minutes)].cost

    def pieces(self, minutes: int) -> list[Piece]:
        """The pieces that cover the first ``minutes``, in their order."""
        result: list[Piece] = []
        step = self._steps[self._end_for(minutes)]
        while step.last is not None:
            result.append(step.last)
            step = self._steps[step.last.start]
        result.reverse()
        return result

    def _explore(self, timeline: Timeline, minutes: int) -> None:
        waiting = [0]
        while waiting:
            minute = heappop(waiting)
            if minute >= minutes:
                break
            step = self._steps[minute]
            for piece in timeline.pieces_from(minute):
                known = self._steps.get(piece.end)
                if known is None:
                    heappush(waiting, piece.end)
                    self._steps[piece.end] = _Step(step.cost + piece.cost, step.pieces + 1, piece)
                elif (step.cost + piece.cost, step.pieces + 1) < (known.cost, known.pieces):
                    self._steps[piece.end] = _Step(step.cost + piece.cost, step.pieces + 1, piece)

    def _order(self, minute: int) -> tuple[int, int]:
        step = self._steps[minute]
        return step.cost, step.pieces

    def _end_for(self, minutes: int) -> int:
        at = bisect_right(self._reached, minutes - 1)
        return self._best[at][1]
