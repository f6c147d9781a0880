"""Moving a booking: another time, with the new price before anything changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.formats import local, parse_instant
from portal.member.door import blueprint
from portal.problems import ApiProblem
from portal.rehearsal_clock import now
from portal.slots import SlotForm, asked_day, joined, offer_times
from portal.translation import gettext as _

Booking = dict[str, Any]


@blueprint.route("/<slug>/bookings/<booking_id>/move", methods=["GET", "POST"])
def move_booking(booking_id: str) -> str | Response:
    """Choose another time; it is moved only when that is free and moving costs nothing."""
    form, booking, day = _times(booking_id)
    if form.send(lambda body: api().patch(f"/v1/bookings/{booking_id}", body)) is None:
        return render_template("member/move.html", form=form, booking=booking, day=day)
    flash(_("Moved. See you then!"), "success")
    return redirect(url_for("member.booking", booking_id=booking_id))


@blueprint.post("/<slug>/bookings/<booking_id>/move/quote")
def quote_move(booking_id: str) -> str:
    """What the booking would cost at the time chosen so far."""
    form, booking, _day = _times(booking_id)
    body = form.body()
    if "start" not in body:
        return render_template("member/new_price.html", booking=booking, moved=None)
    try:
        moved = api().patch(f"/v1/bookings/{booking_id}", {**body, "preview": True})
    except ApiProblem as problem:
        return render_template("member/new_price.html", booking=booking, moved=None, why_not=problem.sentence)
    return render_template("member/new_price.html", booking=booking, moved=moved)


def _times(booking_id: str) -> tuple[SlotForm, Booking, date]:
    booking: Booking = api().get(f"/v1/bookings/{booking_id}")
    zone = booking["timezone"]
    day = asked_day(now(), zone) if "date" in request.args else local(booking["start"], zone).date()
    found = api().maybe("/v1/availability", resource_id=booking["resource_id"], date=day.isoformat()) or {}
    free = found["items"][0]["free"] if found.get("items") else []
    length = parse_instant(booking["end"]) - parse_instant(booking["start"])
    minutes = int(length.total_seconds() // 60)
    form = SlotForm(shown={"minutes": str(minutes), "start": booking["start"]})
    # Its own time is taken by itself only.
    own = [booking] if local(booking["start"], zone).date() == day else []
    offer_times(form, joined([*free, *own]), zone, minutes)
    return form, booking, day
