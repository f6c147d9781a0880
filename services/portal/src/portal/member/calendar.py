"""One's bookings in one's own calendar: a private address that calendar programs subscribe to."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.forms import act
from portal.member.door import blueprint
from portal.translation import gettext as _


@blueprint.get("/<slug>/calendar")
def calendar() -> str:
    """Whether there is a feed, and how to come by one."""
    return render_template("member/calendar.html", feeds=api().items("/v1/calendars"), address=None)


@blueprint.post("/<slug>/calendar")
def open_feed() -> str | Response:
    """Open a feed, show its address this once, and close those before it."""
    earlier = api().items("/v1/calendars")
    made = act(lambda: api().post("/v1/calendars", {}), _("Your calendar has an address."))
    if made is None:
        return redirect(url_for("member.calendar"))
    for feed in earlier:
        api().delete(f"/v1/calendars/{feed['id']}")
    return render_template("member/calendar.html", feeds=[made], address=request.host_url.rstrip("/") + made["path"])


@blueprint.post("/<slug>/calendar/<feed_id>/removal")
def close_feed(feed_id: str) -> Response:
    """Close a feed."""
    act(lambda: api().delete(f"/v1/calendars/{feed_id}"), _("The address answers no more."))
    return redirect(url_for("member.calendar"))
