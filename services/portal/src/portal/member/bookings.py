"""Booking a room, and one's own bookings."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.api import api
from portal.forms import MAYBE, act
from portal.member.door import blueprint, now
from portal.problems import ApiProblem
from portal.seats import current_seat
from portal.slots import SlotForm, asked_day, offer_times
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class BookForm(SlotForm):
    """What a member says when booking."""

    note = TextAreaField(lazy_gettext("Note for the house"), [MAYBE])


@blueprint.get("/<slug>/book")
def book() -> str:
    """Rooms of a location with their free times on a day."""
    places = api().items("/v1/locations", limit=200)
    wanted = request.args.get("location_id")
    place = next((one for one in places if one["id"] == wanted), places[0] if places else None)
    if place is None:
        return render_template("member/nothing.html")
    day = asked_day(now(), place["timezone"])
    found = api().maybe("/v1/availability", location_id=place["id"], date=day.isoformat()) or {}
    return render_template("member/book.html", places=places, place=place, day=day, rooms=found.get("items", []))


@blueprint.route("/<slug>/book/<resource_id>", methods=["GET", "POST"])
def book_room(resource_id: str) -> str | Response:
    """One room: a start, a length, the price, and it is booked."""
    form, room, day = _room(resource_id)
    made = form.send(lambda body: api().post("/v1/bookings", body | _whose(resource_id) | {"payment": "on_invoice"}))
    if made is None:
        return render_template("member/book_room.html", form=form, room=room, day=day)
    act(
        lambda: made, _("Booked. See you then!") if made["status"] == "confirmed" else _("Asked for; we will tell you.")
    )
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
        found = api().post("/v1/bookings/quote", body | _whose(resource_id))
    except ApiProblem as problem:
        return render_template("macros/quote.html", quote=None, why_not=problem.sentence)
    return render_template("macros/quote.html", quote=found)


@blueprint.get("/<slug>/bookings")
def bookings() -> str:
    """One's bookings, newest first."""
    page = api().page("/v1/bookings", cursor=request.args.get("cursor"), limit=30, sort="-start")
    return render_template("member/bookings.html", page=page)


@blueprint.get("/<slug>/bookings/<booking_id>")
def booking(booking_id: str) -> str:
    """One booking, and what cancelling it would cost."""
    found = api().get(f"/v1/bookings/{booking_id}")
    is_open = found["status"] in {"held", "tentative", "confirmed"}
    cancelling = api().maybe(f"/v1/bookings/{booking_id}/cancellation") if is_open else None
    return render_template("member/booking.html", booking=found, cancelling=cancelling, is_open=is_open)


@blueprint.post("/<slug>/bookings/<booking_id>/cancellation")
def cancel_booking(booking_id: str) -> Response:
    """Cancel."""
    act(lambda: api().post(f"/v1/bookings/{booking_id}/cancellation", {}), _("Your booking is cancelled."))
    return redirect(url_for("member.booking", booking_id=booking_id))


def _room(resource_id: str) -> tuple[BookForm, dict[str, Any], Any]:
    room = api().get(f"/v1/resources/{resource_id}")
    zone = api().get(f"/v1/locations/{room['location_id']}")["timezone"]
    day = asked_day(now(), zone)
    found = api().get("/v1/availability", resource_id=resource_id, date=day.isoformat())
    times = found["items"][0] if found.get("items") else {"free": [], "prices": []}
    form = BookForm(shown={"minutes": "60", "start": request.args.get("start")})
    offer_times(form, times["free"], zone)
    return form, {**room, "prices": times.get("prices", []), "timezone": zone}, day


def _whose(resource_id: str) -> dict[str, Any]:
    return {"resource_id": resource_id, "member_id": current_seat().me.get("member_id")}
