"""Where bookings stand in a calendar: pure geometry, by the wall clock of the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from portal.formats import local

Booking = Mapping[str, Any]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_COLUMN = 2  # after the names of the rooms


@dataclass(frozen=True, slots=True)
class Block:
    """A booking's place on a day's board: grid row, first column, width in quarters of an hour."""

    booking: Booking
    row: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A room's rows on the board: as many as it has bookings at the same time, at least one."""

    room: Mapping[str, Any]
    row: int
    height: int
    blocks: Sequence[Block] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A day at a place between two full hours."""

    day: date
    zone: str
    first_hour: int
    last_hour: int

    @property
    def hours(self) -> list[int]:
        """Full hours that are shown."""
        return list(range(self.first_hour, self.last_hour))

    @property
    def quarters(self) -> int:
        """Columns."""
        return 4 * len(self.hours)

    def place(self, rooms: Iterable[Mapping[str, Any]], bookings: Sequence[Booking]) -> tuple[list[Lane], list[Block]]:
        """Lanes of the rooms from top to bottom, and the bookings inside them without overlaps."""
        lanes, blocks, row = [], list[Block](), 2
        for room in rooms:
            own = sorted((one for one in bookings if one["resource_id"] == room["id"]), key=lambda one: one["start"])
            placed, height = self._stack(own, row)
            lanes.append(Lane(room, row, height, placed))
            blocks += placed
            row += height
        return lanes, blocks

    def _stack(self, bookings: Iterable[Booking], row: int) -> tuple[list[Block], int]:
        """Each booking in the first row that is free at its time."""
        ends: list[int] = []
        placed = []
        for one in bookings:
            first, last = max(0, self._column(one["start"], up=False)), min(self.quarters, self._column(one["end"]))
            if last <= first:
                continue
            track = next((number for number, end in enumerate(ends) if end <= first), len(ends))
            ends[track : track + 1] = [last]
            placed.append(Block(one, row + track, first + _FIRST_COLUMN, last - first))
        return placed, max(1, len(ends))

    def _column(self, instant: str, *, up: bool = True) -> int:
        wall = local(instant, self.zone).replace(tzinfo=None)
        minutes = int((wall - datetime.combine(self.day, time(self.first_hour))).total_seconds() // 60)
        return -(-minutes // 15) if up else minutes // 15


def shown_hours(
    opening: Mapping[str, Any] | None, day: date, bookings: Iterable[Booking], zone: str
) -> tuple[int, int]:
    """Opening hours of the day, widened to what is booked; a closed day shows office hours."""
    spans = (opening or {}).get(_DAYS[day.weekday()])
    first, last = 8, 18
    if spans:
        first, last = int(spans[0][0][:2]), -(-_minutes(spans[-1][1]) // 60)
    for booking in bookings:
        start, end = local(booking["start"], zone), local(booking["end"], zone)
        first = min(first, start.hour if start.date() == day else 0)
        last = max(last, -(-(end.hour * 60 + end.minute) // 60) if end.date() == day else 24)
    return first, max(last, first + 4)


def by_room_and_day(
    bookings: Iterable[Booking], days: Sequence[date], zone: str
) -> dict[tuple[str, date], list[Booking]]:
    """Bookings of a week by room and day, each on every day that it touches."""
    cells: dict[tuple[str, date], list[Booking]] = {}
    for one in bookings:
        begins = local(one["start"], zone).date()
        ends = (local(one["end"], zone) - timedelta(microseconds=1)).date()
        for day in days:
            if begins <= day <= ends:
                cells.setdefault((one["resource_id"], day), []).append(one)
    return cells


def week_of(day: date) -> list[date]:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
