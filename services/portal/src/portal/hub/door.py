"""What the storefront's pages share: whose it is, who looks, and its ways of money and time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, g, request

from portal.api import Api, api_on
from portal.formats import parse_instant
from portal.problems import ApiProblem
from portal.seats import MEMBER, STAFF, Seat, seat_of, use_seat
from portal.security import allow_embedding

blueprint = Blueprint("hub", __name__, url_prefix="/hub")
_CARRIED = ("item", "embed")
CHOOSING = frozenset({"hub.storefront", "hub.room", "hub.checkout", "hub.choose_time", "hub.quote_room"})

Shop = dict[str, Any]


@blueprint.url_defaults
def carry_on(endpoint: str, values: dict[str, Any]) -> None:
    """Links keep what is in the basket, and whether the page stands in another site's frame."""
    if endpoint not in CHOOSING or not g.get("in_hub"):
        return
    for name in _CARRIED:
        if name not in values and request.args.getlist(name):
            values[name] = request.args.getlist(name)


@blueprint.before_request
def enter_hub() -> None:
    """From here on links carry the basket."""
    g.in_hub = True


def read_shop(slug: str, *, slots: bool = False) -> Shop:
    """The public page's contents, with the next free ``slots`` if wanted. Raises ApiProblem.

    A member who has signed in looks and buys as one; staff see their own page before it is published.
    """
    member, staff = (_seat_at(slug, kind) for kind in (MEMBER, STAFF))
    query = {} if slots else {"next_free": "false"}
    try:
        shop: Shop = _as(member).get(f"/v1/storefront/{slug}", **query)
    except ApiProblem as problem:
        if problem.status != 404 or staff is None:
            raise
        shop = _as(staff).get(f"/v1/storefront/{slug}", **query)
    _take_ways_of(shop)
    return shop


def is_embedded() -> bool:
    """Whether the page is asked for by another site's frame."""
    return request.args.get("embed") == "1"


def is_member() -> bool:
    """Whether a member of the house looks who has signed in."""
    seat = g.get("seat")
    return seat is not None and not seat.is_staff


def shop_now(shop: Shop) -> datetime:
    """The organisation's time: a rehearsal's own when its page tells it."""
    told = shop.get("now")
    instant: datetime = parse_instant(told) if told else current_app.extensions["clock"].now()
    return instant


def find(rows: list[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    """One of the shop's things by its id."""
    return next((row for row in rows if row["id"] == wanted), None)


def _seat_at(slug: str, kind: str) -> Seat | None:
    seat = seat_of(kind)
    return seat if seat and seat.organization["slug"] == slug else None


def _as(seat: Seat | None) -> Api:
    """The API for this request, on a seat; later calls of `api()` are made on it as well."""
    use_seat(seat)
    g.api = api_on(seat)
    found: Api = g.api
    return found


def _take_ways_of(shop: Shop) -> None:
    organization = shop["organization"]
    g.country, g.currency, g.zone = organization.get("country"), organization["currency"], organization["timezone"]
    g.pop("locale", None)
    if is_embedded():
        allow_embedding(shop["storefront"].get("embed_origins") or ())
