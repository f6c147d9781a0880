"""What is booked along with a room: what is on offer, what a form asks for, and what a booking has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request

from portal.api import api
from portal.fields import read_number
from portal.formats import number
from portal.forms import ApiForm
from portal.problems import Fault
from portal.seats import current_seat

Extra = Mapping[str, Any]
_ORDERED = "extra-"


class ExtrasForm(ApiForm):
    """A form with inputs for extras; what the API says against one of them stands beside it, by its code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.extra_faults: dict[str, str] = {}

    def _place(self, fault: Fault) -> bool:
        place = re.match(r"/extras/(\d+)", fault.pointer)
        if place is None:
            return super()._place(fault)
        self.extra_faults[ordered_extras()[int(place[1])]["code"]] = fault.detail
        # Counts as a fault of the form, which says above it that there are some.
        self.form_errors.append(fault.detail)
        return True


def with_orders(extras: Iterable[Extra], orders: Iterable[Extra] = ()) -> list[dict[str, Any]]:
    """Extras, each with how many of it the sent form asks for, or before it is sent the ``orders`` of a booking."""
    booked = {order["code"]: number(order["quantity"]) for order in orders}
    return [
        {**extra, "ordered": request.form.get(_ORDERED + extra["code"], booked.get(extra["code"], ""))}
        for extra in extras
    ]


def ordered_extras() -> list[dict[str, str]]:
    """What the sent form asks for: inputs are named ``extra-`` and the code."""
    asked = {name.removeprefix(_ORDERED): text for name, text in request.form.items() if name.startswith(_ORDERED)}
    return [{"code": code, "quantity": _quantity(text)} for code, text in asked.items() if text.strip(" 0")]


def changed_extras(booking: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """What the sent form asks for when it is something else than the booking has; None when it is not."""
    asked = ordered_extras()
    has_inputs = any(name.startswith(_ORDERED) for name in request.form)
    return asked if has_inputs and _counted(asked) != _counted(booking.get("extras") or ()) else None


def members_extras(resource_id: str) -> list[Extra]:
    """Extras of a room's rates that are open to everybody, which the storefront's page tells: none while it is closed.

    Where rates differ about a price it is left to the quote.
    """
    shop = api().maybe(f"/v1/storefront/{current_seat().organization['slug']}", next_free="false") or {}
    room: Mapping[str, Any] = next((one for one in shop.get("resources", ()) if one["id"] == resource_id), {})
    found: dict[str, Extra] = {}
    for extra in (extra for rate in room.get("rates", ()) if _is_for_members(rate) for extra in rate["extras"]):
        before = found.get(extra["code"], extra)
        found[extra["code"]] = extra if before["price"] == extra["price"] else {**extra, "price": None}
    return list(found.values())


def booked_extras(booking: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a booking has, with names and prices as its lines tell them: they stand in the order of the extras."""
    orders = booking.get("extras") or []
    lines = [line for line in booking.get("lines") or () if line.get("kind") == "extra"]
    told = lines if len(lines) == len(orders) else [{}] * len(orders)
    return [
        {**order, "name": line.get("description") or order["code"], "price": line.get("unit_price")}
        for order, line in zip(orders, told, strict=True)
    ]


def offered_again(booking: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What can be booked along with a booking's room, and what it has already, with how many of each."""
    booked = booked_extras(booking)
    found = {extra["code"]: extra for extra in (*booked, *members_extras(booking["resource_id"]))}
    return with_orders(found.values(), booked)


def _is_for_members(rate: Mapping[str, Any]) -> bool:
    return "extras" in rate and (rate.get("conditions") or {}).get("audience") != "public"


def _counted(orders: Sequence[Extra]) -> dict[str, Decimal | str]:
    return {order["code"]: _as_number(order["quantity"]) for order in orders}


def _as_number(quantity: str) -> Decimal | str:
    try:
        return Decimal(quantity)
    except InvalidOperation:
        return quantity


def _quantity(text: str) -> str:
    """A decimal string; what is no number is left for the API to refuse."""
    try:
        return format(read_number(text), "f")
    except ValueError:
        return text
