"""What the storefront's pages share: whose it is, and its colours of speech and money."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, g

from portal.api import api
from portal.formats import parse_instant
from portal.seats import STAFF, seat_of, use_seat

blueprint = Blueprint("hub", __name__, url_prefix="/hub")


def read_shop(slug: str) -> dict[str, Any]:
    """The public page's contents; the organisation's own staff sees it before it is published. Raises ApiProblem."""
    seat = seat_of(STAFF)
    use_seat(seat if seat and seat.organization["slug"] == slug else None)
    shop: dict[str, Any] = api().get(f"/v1/storefront/{slug}")
    organization = shop["organization"]
    g.country, g.currency, g.zone = organization.get("country"), organization["currency"], organization["timezone"]
    g.pop("locale", None)
    return shop


def shop_now(shop: dict[str, Any]) -> datetime:
    """The organisation's time: a rehearsal's own when its page tells it."""
    told = shop.get("now") or (shop["organization"].get("now"))
    instant: datetime = parse_instant(told) if told else current_app.extensions["clock"].now()
    if told:
        return instant
    free = [slot["start"] for room in shop.get("resources", ()) for slot in room.get("next_free") or ()]
    return min((parse_instant(start) for start in free), default=instant)


def find(rows: list[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    """One of the shop's things by its id."""
    return next((row for row in rows if row["id"] == wanted), None)
