"""The rooms of a location by day and by week; bookings can be dragged, and everything goes without dragging too."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response as Answer
from flask import flash, jsonify, render_template, request

from common.clock import wall_to_instant
from portal.admin.dashboard import SHOWN
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.board import Board, by_room_and_day, shown_hours, week_of
from portal.formats import instant_text, moment, weekday
from portal.problems import FORM_STATUSES, ApiProblem
from portal.rehearsal_clock import now
from portal.translation import gettext as _

_PAGE, _MOST_PAGES = 200, 3


@blueprint.get("/calendar")
def calendar() -> str:
    """A day or a week at a location."""
    places = api().items("/v1/locations", limit=_PAGE)
    wanted = request.args.get("location_id")
    place = next((p for p in places if p["id"] == wanted), places[0] if places else None)
    if place is None:
        return render_template("admin/calendar/empty.html")
    rooms = api().items("/v1/resources", location_id=place["id"], limit=_PAGE, sort="name")
    day = _day(place["timezone"])
    show = _week if request.args.get("view") == "week" else _one_day
    return show(place, rooms, day, places)


def _one_day(place: dict[str, Any], rooms: list[dict[str, Any]], day: date, places: list[dict[str, Any]]) -> str:
    bookings, is_cut = _bookings(place, day, day + timedelta(days=1))
    zone = place["timezone"]
    board = Board(day, zone, *shown_hours(place.get("opening_hours"), day, bookings, zone))
    lanes, blocks = board.place(rooms, bookings)
    return render_template(
        "admin/calendar/day.html", board=board, lanes=lanes, blocks=blocks, places=places, place=place, day=day,
        before=day - timedelta(days=1), after=day + timedelta(days=1), is_cut=is_cut, view="day",
    )  # fmt: skip


def _week(place: dict[str, Any], rooms: list[dict[str, Any]], day: date, places: list[dict[str, Any]]) -> str:
    days = week_of(day)
    bookings, is_cut = _bookings(place, days[0], days[-1] + timedelta(days=1))
    cells = by_room_and_day(bookings, days, place["timezone"])
    return render_template(
        "admin/calendar/week.html", days={one: weekday(one) for one in days}, rooms=rooms, cells=cells,
        places=places, place=place, day=day, today=_today(place["timezone"]),
        before=day - timedelta(days=7), after=day + timedelta(days=7), is_cut=is_cut, view="week",
    )  # fmt: skip


@blueprint.post("/calendar/moves")
def move_on_calendar() -> Answer:
    """Move a booking that was dragged; ``start`` and ``end`` by the place's clock. Tells whether it was, or why not."""
    require(*DESK)
    path = f"/v1/bookings/{request.form['booking_id']}"
    try:
        found = api().get(path)
        moved = api().patch(path, _change(found))
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES | {403, 404}:
            raise
        reasons = [fault.detail for fault in problem.faults] or [problem.sentence]
        return jsonify({"moved": False, "text": _("Not moved: %(reason)s", reason="; ".join(reasons))})
    text = _("Moved to %(moment)s.", moment=moment(moved["start"], found["timezone"]))
    flash(text, "success")
    return jsonify({"moved": True, "text": text})


def _change(found: dict[str, Any]) -> dict[str, str]:
    """What the form changes of a booking. Raises ApiProblem for what is no time."""
    try:
        times = {
            name: instant_text(wall_to_instant(datetime.fromisoformat(request.form[name]), found["timezone"]))
            for name in ("start", "end")
        }
    except ValueError as error:
        raise ApiProblem(422, {"detail": _("Please give a date and a time.")}) from error
    return {**times, "resource_id": request.form.get("resource_id") or found["resource_id"]}


def _bookings(place: dict[str, Any], first: date, end: date) -> tuple[list[dict[str, Any]], bool]:
    """Bookings from the first day up to the end, and whether there are more of them than are shown."""
    window = {name: _midnight(day, place["timezone"]) for name, day in (("from", first), ("to", end))}
    found: list[dict[str, Any]] = []
    cursor = None
    for _number in range(_MOST_PAGES):
        query = {"location_id": place["id"], "status": SHOWN, "sort": "start", "limit": _PAGE, "cursor": cursor}
        page = api().page("/v1/bookings", **query, **window)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found, cursor is not None


def _midnight(day: date, zone: str) -> str:
    return instant_text(wall_to_instant(datetime.combine(day, time()), zone))


def _day(zone: str) -> date:
    try:
        return date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        return _today(zone)


def _today(zone: str) -> date:
    return now().astimezone(ZoneInfo(zone)).date()
