"""A room on the storefront: free times, price, and on to the checkout."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.hub.door import blueprint, find, read_shop, shop_now
from portal.problems import ApiProblem
from portal.slots import SlotForm, asked_day, offer_times


@blueprint.route("/<slug>/rooms/<resource_id>", methods=["GET", "POST"])
def room(slug: str, resource_id: str) -> str | Response:
    """Choose a time."""
    form, shop, found, day = _room(slug, resource_id)
    if form.validate_on_submit():
        body = form.body()
        return redirect(
            url_for("hub.checkout", slug=slug, resource_id=resource_id, start=body["start"], end=body["end"])
        )
    return render_template("hub/room.html", shop=shop, slug=slug, room=found, form=form, day=day)


@blueprint.post("/<slug>/rooms/<resource_id>/quote")
def quote_room(slug: str, resource_id: str) -> str:
    """The price of what was chosen so far."""
    form, _shop, _found, _day = _room(slug, resource_id)
    body = form.body()
    if "start" not in body:
        return render_template("macros/quote.html", quote=None)
    try:
        found = api().post(f"/v1/storefront/{slug}/quote", {"resource_id": resource_id, **body})
    except ApiProblem as problem:
        return render_template("macros/quote.html", quote=None, why_not=problem.sentence)
    return render_template("macros/quote.html", quote=found)


def _room(slug: str, resource_id: str) -> tuple[SlotForm, dict[str, Any], dict[str, Any], Any]:
    shop = read_shop(slug)
    found = find(shop["resources"], resource_id)
    if found is None:
        abort(404)
    place = find(shop["locations"], found["location_id"]) or {"timezone": shop["organization"]["timezone"]}
    day = asked_day(shop_now(shop), place["timezone"])
    path = f"/v1/storefront/{slug}/availability"
    times = api().maybe(path, resource_id=resource_id, date=day.isoformat()) or {}
    free = times["items"][0]["free"] if times.get("items") else []
    form = SlotForm(shown={"minutes": "60", "start": request.args.get("start")})
    offer_times(form, free, place["timezone"])
    return form, shop, {**found, "timezone": place["timezone"]}, day
