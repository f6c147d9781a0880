"""What somebody is about to buy. It stands in the address, so that it can be gone back to, shared, and framed.

An item is ``pln_…`` (perhaps ``~3`` for three of them) or ``res_…~start~end``, with ``~2:coffee`` for each extra.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from flask import request

from portal.extras import Extra, extras_of, filled_inputs
from portal.formats import instant_text, parse_instant
from portal.hub.door import CHOOSING, Shop, blueprint, find, is_member

# As many as `POST …/checkouts` takes.
LONGEST = 10
_SEPARATOR = "~"
_MOST = 100
_ORDER = re.compile(r"(\d{1,5}(?:\.\d{1,6})?):(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One item: what the shop says of it, how many, and for a room from when until when and with which extras."""

    text: str
    thing: dict[str, Any]
    quantity: int = 1
    start: datetime | None = None
    end: datetime | None = None
    extras: tuple[Extra, ...] = ()

    @property
    def is_room(self) -> bool:
        """Whether it is a time in a room."""
        return self.start is not None

    @property
    def is_recurring(self) -> bool:
        """Whether it is a membership."""
        return self.thing.get("kind") == "recurring"

    @property
    def inputs(self) -> dict[str, str]:
        """The inputs of the room's form that ask for the extras."""
        return filled_inputs(self.extras)

    def wanted(self) -> dict[str, Any]:
        """Start, end and extras for the API."""
        _, start, end, *_orders = self.text.split(_SEPARATOR)
        times = {"start": instant_text(parse_instant(start)), "end": instant_text(parse_instant(end))}
        extras = [{name: extra[name] for name in ("code", "quantity")} for extra in self.extras]
        return {**times, "extras": extras} if extras else times

    def body(self, first_day: str | None) -> dict[str, Any]:
        """For `POST …/checkouts`."""
        if self.is_room:
            return {"kind": "booking", "resource_id": self.thing["id"], **self.wanted()}
        more = {"start_date": first_day} if self.is_recurring and first_day else {}
        return {"kind": "plan", "plan_id": self.thing["id"], "quantity": str(self.quantity), **more}


def plan_item(plan_id: str, quantity: int = 1) -> str:
    """A plan or pass as it stands in addresses."""
    return plan_id if quantity == 1 else f"{plan_id}{_SEPARATOR}{quantity}"


def room_item(resource_id: str, start: str, end: str, extras: Iterable[Extra] = ()) -> str:
    """A time in a room as it stands in addresses."""
    orders = (f"{extra['quantity']}:{_quoted(extra['code'])}" for extra in extras)
    return _SEPARATOR.join((resource_id, start, end, *orders))


def read_basket(shop: Shop) -> list[Line]:
    """The items in the address that are on sale here; what cannot be read is left out."""
    lines = (_line(shop, text) for text in request.args.getlist("item")[:LONGEST])
    return [line for line in lines if line is not None]


def is_full() -> bool:
    """Whether nothing more fits in; what was added to the address by hand beyond that is left out."""
    return len(request.args.getlist("item")) >= LONGEST


@blueprint.context_processor
def room_left() -> dict[str, Any]:
    """Pages on which things are chosen say when nothing more fits in."""
    return {"basket_is_full": request.endpoint in CHOOSING and is_full(), "basket_holds": LONGEST}


def with_item(text: str) -> list[str] | None:
    """The items of the address and one more; None when it is full.

    A plan that is there already is counted, a time that is there already gets the new extras.
    """
    present = request.args.getlist("item")
    same = next((item for item in present if _subject(item) == _subject(text)), None)
    if same is None:
        return None if is_full() else [*present, text]
    new = text if _is_room(text) else plan_item(_subject(text)[0], min(_quantity(same) + 1, _MOST))
    return [new if item == same else item for item in present]


def changed(lines: Iterable[Line], line: Line, quantity: int) -> list[str]:
    """The items with another quantity of one; zero takes it out."""
    items = [each.text if each is not line else plan_item(line.thing["id"], quantity) for each in lines]
    return items if quantity else [each.text for each in lines if each is not line]


def _line(shop: Shop, text: str) -> Line | None:
    if _is_room(text):
        return _room_line(shop, text)
    plan = find(shop["plans"], text.split(_SEPARATOR, maxsplit=1)[0])
    return Line(text, plan, _quantity(text)) if plan else None


def _room_line(shop: Shop, text: str) -> Line | None:
    resource_id, *rest = text.split(_SEPARATOR)
    room = find(shop["resources"], resource_id)
    orders = [_ORDER.fullmatch(order) for order in rest[2:]]
    try:
        start, end = (parse_instant(time) for time in rest[:2])
    except ValueError:
        return None
    if room is None or None in orders or start.tzinfo is None or end.tzinfo is None or end <= start:
        return None
    place = find(shop["locations"], room["location_id"]) or {}
    zone = place.get("timezone") or shop["organization"]["timezone"]
    extras = _named(room, ((unquote(order[2]), order[1]) for order in orders if order))
    return Line(text, {**room, "timezone": zone}, 1, start, end, extras)


def _named(room: dict[str, Any], orders: Iterable[tuple[str, str]]) -> tuple[Extra, ...]:
    """Ordered extras as the shop calls them; what it does not have is left for the API to refuse."""
    names = {extra["code"]: extra["name"] for extra in extras_of(room, is_member=is_member())}
    return tuple({"code": code, "name": names.get(code, code), "quantity": quantity} for code, quantity in orders)


def _quoted(code: str) -> str:
    return quote(code, safe="").replace(_SEPARATOR, "%7E")


def _subject(text: str) -> list[str]:
    """What an item is about: a plan, or a time in a room."""
    return text.split(_SEPARATOR)[: 3 if _is_room(text) else 1]


def _quantity(text: str) -> int:
    _, _, number = text.partition(_SEPARATOR)
    return min(max(int(number), 1), _MOST) if number.isascii() and number.isdigit() else 1


def _is_room(text: str) -> bool:
    return text.startswith("res_")
