"""What somebody is about to buy. It stands in the address, so that it can be gone back to, shared, and framed.

An item is ``pln_…`` (perhaps ``~3`` for three of them) or ``res_…~start~end``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request

from portal.formats import instant_text, parse_instant
from portal.hub.door import CHOOSING, Shop, blueprint, find

# As many as `POST …/checkouts` takes.
LONGEST = 10
_SEPARATOR = "~"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One item: what the shop says of it, how many, and for a room from when until when."""

    text: str
    thing: dict[str, Any]
    quantity: int = 1
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_room(self) -> bool:
        """Whether it is a time in a room."""
        return self.start is not None

    @property
    def is_recurring(self) -> bool:
        """Whether it is a membership."""
        return self.thing.get("kind") == "recurring"

    def times(self) -> dict[str, str]:
        """Start and end for the API."""
        _, *times = self.text.split(_SEPARATOR)
        return {name: instant_text(parse_instant(time)) for name, time in zip(("start", "end"), times, strict=True)}

    def body(self, first_day: str | None) -> dict[str, Any]:
        """For `POST …/checkouts`."""
        if self.is_room:
            return {"kind": "booking", "resource_id": self.thing["id"], **self.times()}
        more = {"start_date": first_day} if self.is_recurring and first_day else {}
        return {"kind": "plan", "plan_id": self.thing["id"], "quantity": str(self.quantity), **more}


def plan_item(plan_id: str, quantity: int = 1) -> str:
    """A plan or pass as it stands in addresses."""
    return plan_id if quantity == 1 else f"{plan_id}{_SEPARATOR}{quantity}"


def room_item(resource_id: str, start: str, end: str) -> str:
    """A time in a room as it stands in addresses."""
    return _SEPARATOR.join((resource_id, start, end))


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
    """The items of the address and one more; a plan that is there already is counted. None when it is full."""
    present = request.args.getlist("item")
    plan_id = text.split(_SEPARATOR, maxsplit=1)[0]
    same = next((item for item in present if not _is_room(item) and item.split(_SEPARATOR)[0] == plan_id), None)
    if same is not None and not _is_room(text):
        return [plan_item(plan_id, min(_quantity(same) + 1, _MOST)) if item == same else item for item in present]
    if text in present:
        return present
    return None if is_full() else [*present, text]


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
    resource_id, *times = text.split(_SEPARATOR)
    room = find(shop["resources"], resource_id)
    try:
        start, end = (parse_instant(time) for time in times)
    except ValueError:
        return None
    if room is None or start.tzinfo is None or end.tzinfo is None or end <= start:
        return None
    place = find(shop["locations"], room["location_id"]) or {}
    zone = place.get("timezone") or shop["organization"]["timezone"]
    return Line(text, {**room, "timezone": zone}, 1, start, end)


def _quantity(text: str) -> int:
    _, _, number = text.partition(_SEPARATOR)
    return min(max(int(number), 1), _MOST) if number.isascii() and number.isdigit() else 1


def _is_room(text: str) -> bool:
    return text.startswith("res_")
