"""The day of a location: one row per room, a column per quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request

from common.clock import wall_to_instant
from portal.admin.dashboard import now
from portal.admin.door import blueprint
from portal.api import api
from portal.formats import instant_text, local

_SHOWN = frozenset({"held", "tentative", "confirmed", "checked_in", "completed"})


@dataclass(frozen=True, slots=True)
class Block:
    """A booking's place on the board: row of the room, first column, width in quarters."""

    booking: dict[str, Any]
    row: int
    column: int
    width: int


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

    def block(self, booking: dict[str, Any], row: int) -> Block | None:
        """Where a booking stands; None when it is outside of what is shown."""
        first = max(0, self._column(booking["start"], up=False))
        last = min(self.quarters, self._column(booking["end"], up=True))
        return Block(booking, row, first + 2, last - first) if last > first else None

    def _column(self, instant: str, *, up: bool) -> int:
        wall = local(instant, self.zone).replace(tzinfo=None)
        minutes = int((wall - datetime.combine(self.day, time(self.first_hour))).total_seconds() // 60)
        return -(-minutes // 15) if up else minutes // 15


@blueprint.get("/calendar")
def calendar() -> str:
    """A day at a location."""
    places = api().items("/v1/locations", limit=200)
    wanted = request.args.get("location_id")
    place = next((p for p in places if p["id"] == wanted), places[0] if places else None)
    if place is None:
        return render_template("admin/calendar/empty.html")
    day = _day(place["timezone"])
    rooms = api().items("/v1/resources", location_id=place["id"], limit=200, sort="name")
    start, end = (instant_text(wall_to_instant(datetime.combine(d, time()), place["timezone"])) for d in _edges(day))
    found = api().items("/v1/bookings", location_id=place["id"], **{"from": start, "to": end}, limit=200)
    shown = [booking for booking in found if booking["status"] in _SHOWN]
    board = Board(day, place["timezone"], *_hours(place, day, shown))
    rows = {room["id"]: number for number, room in enumerate(rooms, start=2)}
    blocks = [b for one in shown if one["resource_id"] in rows and (b := board.block(one, rows[one["resource_id"]]))]
    return render_template(
        "admin/calendar/day.html", board=board, rooms=rooms, blocks=blocks, places=places, place=place,
        before=day - timedelta(days=1), after=day + timedelta(days=1), bookings=shown,
    )  # fmt: skip


def _day(zone: str) -> date:
    try:
        return date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        return now().astimezone(ZoneInfo(zone)).date()


def _edges(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _hours(place: dict[str, Any], day: date, bookings: list[dict[str, Any]]) -> tuple[int, int]:
    """Opening hours of the day, widened to what is booked; a closed day shows office hours."""
    spans = (place.get("opening_hours") or {}).get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()])
    first, last = 8, 18
    if spans:
        first, last = int(spans[0][0][:2]), -(-_minutes(spans[-1][1]) // 60)
    for booking in bookings:
        start, end = local(booking["start"], place["timezone"]), local(booking["end"], place["timezone"])
        first = min(first, start.hour if start.date() == day else 0)
        last = max(last, -(-(end.hour * 60 + end.minute) // 60) if end.date() == day else 24)
    return first, max(last, first + 4)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
