"""Changing a booking: another time, other extras, with the new price before anything changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.extras import Extra, ExtrasForm, changed_extras, offered_again
from portal.formats import local, parse_instant
from portal.member.door import blueprint
from portal.problems import ApiProblem
from portal.rehearsal_clock import now
from portal.slots import SlotForm, asked_day, joined, offer_times
from portal.translation import gettext as _

Booking = dict[str, Any]


class MoveForm(ExtrasForm, SlotForm):
    """What is to be different: a time that stays is not sent, for moving may be too late where extras are not."""

    booking: Booking
    offered: list[Extra]

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """Only what differs from the booking."""
        body, extras = super().body(nulls=nulls), changed_extras(self.booking)
        if all(name in body and _is_same(body[name], self.booking[name]) for name in ("start", "end")):
            body = {name: value for name, value in body.items() if name not in ("start", "end")}
        return body if extras is None else {**body, "extras": extras}


def _is_same(instant: str, other: str) -> bool:
    return parse_instant(instant) == parse_instant(other)


@blueprint.route("/<slug>/bookings/<booking_id>/move", methods=["GET", "POST"])
def move_booking(booking_id: str) -> str | Response:
    """Choose another time or extras; it is moved only when that is free and moving costs nothing."""
    form, booking, day = _times(booking_id)
    changed = form.send(lambda body: api().patch(f"/v1/bookings/{booking_id}", body) if body else booking)
    if changed is None:
        extras = offered_again(booking, form.offered)
        return render_template("member/move.html", form=form, booking=booking, day=day, extras=extras)
    is_moved = not _is_same(changed["start"], booking["start"])
    flash(_("Moved. See you then!") if is_moved else _("Changed. See you then!"), "success")
    return redirect(url_for("member.booking", booking_id=booking_id))


@blueprint.post("/<slug>/bookings/<booking_id>/move/quote")
def quote_move(booking_id: str) -> str:
    """What the booking would cost at the time chosen so far."""
    form, booking, _day = _times(booking_id)
    if not form.start.data:
        return render_template("member/new_price.html", booking=booking, moved=None)
    body = form.body()
    try:
        moved = api().patch(f"/v1/bookings/{booking_id}", {**body, "preview": True}) if body else booking
    except ApiProblem as problem:
        return render_template("member/new_price.html", booking=booking, moved=None, why_not=problem.sentence)
    return render_template("member/new_price.html", booking=booking, moved=moved)


def _times(booking_id: str) -> tuple[MoveForm, Booking, date]:
    booking: Booking = api().get(f"/v1/bookings/{booking_id}")
    zone = booking["timezone"]
    day = asked_day(now(), zone) if "date" in request.args else local(booking["start"], zone).date()
    found = api().maybe("/v1/availability", resource_id=booking["resource_id"], date=day.isoformat()) or {}
    times = found["items"][0] if found.get("items") else {"free": []}
    length = parse_instant(booking["end"]) - parse_instant(booking["start"])
    minutes = int(length.total_seconds() // 60)
    form = MoveForm(shown={"minutes": str(minutes), "start": booking["start"]})
    form.booking, form.offered = booking, times.get("extras", [])
    # Its own time is taken by itself only.
    own = [booking] if local(booking["start"], zone).date() == day else []
    offer_times(form, joined([*times["free"], *own]), zone, minutes)
    return form, booking, day
