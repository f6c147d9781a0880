"""A member's own bookings: to come and over, what cancelling costs, and cancelling."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.downloads import pass_on
from portal.extras import booked_extras
from portal.formats import instant_text
from portal.forms import act
from portal.member.door import blueprint
from portal.rehearsal_clock import now
from portal.translation import gettext as _

OPEN = ("held", "tentative", "confirmed")
TO_COME = ",".join((*OPEN, "checked_in"))
_SCOPES = ("this", "following", "all")


@blueprint.get("/<slug>/bookings")
def bookings() -> str:
    """One's bookings: those to come first, or all, newest first."""
    everything = request.args.get("show") == "all"
    narrowed = {"sort": "-start"} if everything else {"sort": "start", "status": TO_COME, "from": instant_text(now())}
    page = api().page("/v1/bookings", cursor=request.args.get("cursor"), limit=30, **narrowed)
    return render_template("member/bookings.html", page=page, everything=everything)


@blueprint.get("/<slug>/bookings/<booking_id>")
def booking(booking_id: str) -> str:
    """One booking, and what cancelling it would cost."""
    found = api().get(f"/v1/bookings/{booking_id}")
    is_open = found["status"] in OPEN
    cancelling = api().maybe(f"/v1/bookings/{booking_id}/cancellation") if is_open else None
    extras = booked_extras(found)
    return render_template("member/booking.html", booking=found, extras=extras, cancelling=cancelling, is_open=is_open)


@blueprint.get("/<slug>/bookings/<booking_id>/ics")
def booking_file(booking_id: str) -> Response:
    """The booking for one's own calendar."""
    return pass_on(f"/v1/bookings/{booking_id}/ics")


@blueprint.post("/<slug>/bookings/<booking_id>/cancellation")
def cancel_booking(booking_id: str) -> Response:
    """Cancel this one, or also others of its series."""
    wanted = request.form.get("scope", "")
    body = {"scope": wanted} if wanted in _SCOPES else {}
    act(lambda: api().post(f"/v1/bookings/{booking_id}/cancellation", body), _("Your booking is cancelled."))
    return redirect(url_for("member.booking", booking_id=booking_id))
