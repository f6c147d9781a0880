"""Booking a room: which are free, what one costs, and it is booked."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.api import api
from portal.extras import RoomForm, with_orders
from portal.fields import LineField
from portal.forms import MAYBE
from portal.member.door import blueprint
from portal.problems import ApiProblem
from portal.rehearsal_clock import now
from portal.seats import current_seat
from portal.slots import asked_day, free_day, offer_times, on_day, window
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class BookForm(RoomForm):
    """What a member says when booking."""

    note = TextAreaField(lazy_gettext("Note for the house"), [MAYBE])
    promo_code = LineField(lazy_gettext("Promo code"), [MAYBE])


@blueprint.get("/<slug>/book")
def book() -> str:
    """Rooms of a location with their free times on a day."""
    places = api().items("/v1/locations", limit=200)
    wanted = request.args.get("location_id")
    place = next((one for one in places if one["id"] == wanted), places[0] if places else None)
    if place is None:
        return render_template("member/nothing.html")
    zone = place["timezone"]
    found = api().maybe("/v1/availability", location_id=place["id"], **window(now(), zone)) or {}
    rooms = found.get("items", [])
    day = free_day(asked_day(now(), zone), (span for room in rooms for span in room["free"]), zone)
    rooms = [{**room, "free": on_day(room["free"], day, zone)} for room in rooms]
    rooms.sort(key=lambda room: not room["free"])
    return render_template("member/book.html", places=places, place=place, day=day, rooms=rooms)


@blueprint.route("/<slug>/book/<resource_id>", methods=["GET", "POST"])
def book_room(resource_id: str) -> str | Response:
    """One room: a start, a length, the price, and it is booked."""
    form, room, day = _room(resource_id)
    made = form.send(lambda body: api().post("/v1/bookings", body | _whose(resource_id) | {"payment": "on_invoice"}))
    if made is None:
        extras = with_orders(room["extras"])
        return render_template("member/book_room.html", form=form, room=room, day=day, extras=extras)
    is_done = made["status"] == "confirmed"
    flash(_("Booked. See you then!") if is_done else _("Asked for; we will tell you."), "success")
    return redirect(url_for("member.booking", booking_id=made["id"]))


@blueprint.post("/<slug>/book/<resource_id>/quote")
def quote_room(resource_id: str) -> str:
    """The price of what was chosen so far."""
    form, *_rest = _room(resource_id)
    body = form.body()
    body.pop("note", None)
    if "start" not in body:
        return render_template("macros/quote.html", quote=None)
    try:
        found = api().ask("/v1/bookings/quote", body | _whose(resource_id))
    except ApiProblem as problem:
        return render_template("macros/quote.html", quote=None, why_not=problem.sentence)
    return render_template("macros/quote.html", quote=found)


def _room(resource_id: str) -> tuple[BookForm, dict[str, Any], Any]:
    room = api().get(f"/v1/resources/{resource_id}")
    zone = api().get(f"/v1/locations/{room['location_id']}")["timezone"]
    found = api().get("/v1/availability", resource_id=resource_id, **window(now(), zone))
    times = found["items"][0] if found.get("items") else {"free": []}
    day = free_day(asked_day(now(), zone), times["free"], zone)
    form = BookForm(shown={"minutes": "60", "start": request.args.get("start")})
    offer_times(form, on_day(times["free"], day, zone), zone)
    for_me = {name: times.get(name, []) for name in ("prices", "extras")}
    return form, {**room, **for_me, "timezone": zone}, day


def _whose(resource_id: str) -> dict[str, Any]:
    return {"resource_id": resource_id, "member_id": current_seat().me.get("member_id")}
