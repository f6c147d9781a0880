"""A room on the storefront: free times, price, and into the basket. All by address, so that it works in a frame."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.extras import RoomForm, extras_of, sent_inputs, with_orders
from portal.hub.basket import read_basket, room_item, with_item
from portal.hub.described import describe_room
from portal.hub.door import Shop, blueprint, find, is_embedded, is_member, read_shop, shop_now
from portal.problems import FORM_STATUSES, ApiProblem
from portal.slots import asked_day, free_day, offer_times, on_day, window

Room = dict[str, Any]


@blueprint.get("/<slug>/rooms/<resource_id>")
def room(slug: str, resource_id: str) -> str:
    """Choose a time."""
    shop, found = _find(slug, resource_id)
    form, day = _times(shop, found)
    return _page(slug, shop, found, form, day)


@blueprint.get("/<slug>/rooms/<resource_id>/choice")
def choose_time(slug: str, resource_id: str) -> str | Response:
    """Into the basket with it, and on to the details."""
    shop, found = _find(slug, resource_id)
    form, day = _times(shop, found)
    if not form.validate() or not _may_have_extras(slug, found, form):
        return _page(slug, shop, found, form, day)
    # A full basket says so on the next page, and stays as it is.
    items = with_item(room_item(found["id"], **form.body())) or request.args.getlist("item")
    return redirect(url_for("hub.checkout", slug=slug, item=items, embed=None))


@blueprint.get("/<slug>/rooms/<resource_id>/quote")
def quote_room(slug: str, resource_id: str) -> str:
    """The price of what was chosen so far."""
    shop, found = _find(slug, resource_id)
    form, _day = _times(shop, found)
    body = form.body()
    if "start" not in body:
        return render_template("macros/quote.html", quote=None)
    quote, why_not = quoted(slug, found["id"], body)
    return render_template("macros/quote.html", quote=quote, why_not=why_not)


def quoted(slug: str, resource_id: str, wanted: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    """What a time in a room, with its extras, costs whoever looks, or why it cannot be had."""
    try:
        return _quote(slug, resource_id, wanted), None
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES | {404}:
            raise
        return None, problem.sentence


def _quote(slug: str, resource_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The API's quote. Raises ApiProblem."""
    path, body = f"/v1/storefront/{slug}/quote", {"resource_id": resource_id, **wanted}
    if is_member():
        path, body = "/v1/bookings/quote", {**body, "member_id": g.seat.me.get("member_id"), "is_personal": True}
    found: dict[str, Any] = api().ask(path, body)
    return found


def _may_have_extras(slug: str, room: Room, form: RoomForm) -> bool:
    """Whether the extras asked for are to be had; what the API says against one stands beside it."""
    body = form.body()
    if "extras" not in body:
        return True
    try:
        _quote(slug, room["id"], body)
    except ApiProblem as problem:
        if not problem.is_for_form:
            raise
        form.take(problem)
        return False
    return True


def _find(slug: str, resource_id: str) -> tuple[Shop, Room]:
    shop = read_shop(slug)
    found = find(shop["resources"], resource_id)
    if found is None:
        abort(404)
    place = find(shop["locations"], found["location_id"]) or shop["organization"]
    return shop, {**found, "timezone": place["timezone"]}


def _times(shop: Shop, room: Room) -> tuple[RoomForm, date]:
    now, zone = shop_now(shop), room["timezone"]
    path = f"/v1/storefront/{shop['organization']['slug']}/availability"
    times = api().maybe(path, resource_id=room["id"], **window(now, zone)) or {}
    free = times["items"][0]["free"] if times.get("items") else []
    day = free_day(asked_day(now, zone), free, zone)
    sent = request.args if "minutes" in request.args else None
    form = RoomForm(formdata=sent, shown={"minutes": "60", "start": request.args.get("start")}, meta={"csrf": False})
    offer_times(form, on_day(free, day, zone), zone)
    return form, day


def _page(slug: str, shop: Shop, room: Room, form: RoomForm, day: date) -> str:
    return render_template(
        "hub/room.html",
        shop=shop,
        slug=slug,
        room=room,
        form=form,
        day=day,
        extras=with_orders(extras_of(room, is_member=is_member())),
        kept={name: text for name, text in sent_inputs().items() if text},
        basket=read_basket(shop),
        embedded=is_embedded(),
        described=describe_room(shop, room, slug),
    )
