"""What is booked along with a room: what is on offer, what a form asks for, and what a booking has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request

from portal.fields import read_number
from portal.formats import number
from portal.forms import ApiForm
from portal.problems import Fault
from portal.slots import SlotForm
from portal.translation import gettext as _

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
        order = ordered_extras()[int(place[1])]
        is_number = isinstance(_as_number(order["quantity"]), Decimal)
        self.extra_faults[order["code"]] = fault.detail if is_number else _("Please write a number.")
        # Counts as a fault of the form, which says above it that there are some.
        self.form_errors.append(fault.detail)
        return True


class RoomForm(ExtrasForm, SlotForm):
    """A time in a room, and what is had along with it."""

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With the extras that were asked for."""
        body, extras = super().body(nulls=nulls), ordered_extras()
        return {**body, "extras": extras} if extras else body


def with_orders(extras: Iterable[Extra], orders: Iterable[Extra] = ()) -> list[dict[str, Any]]:
    """Extras, each with how many of it the sent form asks for, or before it is sent the ``orders`` of a booking."""
    booked = {order["code"]: number(order["quantity"]) for order in orders}
    return [
        {**extra, "ordered": _sent().get(_ORDERED + extra["code"], booked.get(extra["code"], ""))} for extra in extras
    ]


def ordered_extras() -> list[dict[str, str]]:
    """What the sent form asks for: inputs are named ``extra-`` and the code."""
    asked = {name.removeprefix(_ORDERED): text for name, text in sent_inputs().items()}
    return [{"code": code, "quantity": _quantity(text)} for code, text in asked.items() if text.strip(" 0")]


def sent_inputs() -> dict[str, str]:
    """The inputs for extras as they were sent, the empty ones too."""
    return {name: text for name, text in _sent().items() if name.startswith(_ORDERED)}


def filled_inputs(orders: Iterable[Extra]) -> dict[str, str]:
    """The inputs that ask for these extras: for addresses of forms that begin with them."""
    return {_ORDERED + order["code"]: number(order["quantity"]) for order in orders}


def changed_extras(booking: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """What the sent form asks for when it is something else than the booking has; None when it is not."""
    asked = ordered_extras()
    return asked if sent_inputs() and _counted(asked) != _counted(booking.get("extras") or ()) else None


def extras_of(room: Mapping[str, Any], *, is_member: bool) -> list[Extra]:
    """Extras of a room's rates on the storefront for whoever looks.

    Where rates differ about a price it is None, and left to the quote.
    """
    rates = [rate for rate in room.get("rates", ()) if not (is_member and _is_for_strangers(rate))]
    found: dict[str, Extra] = {}
    for extra in (extra for rate in rates for extra in rate.get("extras", ())):
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


def offered_again(booking: Mapping[str, Any], extras: Iterable[Extra]) -> list[dict[str, Any]]:
    """The ``extras`` of a booking's room, and those that it has already, with how many of each."""
    booked = booked_extras(booking)
    found = {extra["code"]: extra for extra in (*booked, *extras)}
    return with_orders(found.values(), booked)


def _sent() -> Mapping[str, str]:
    """What was sent: by the storefront's forms, which work in frames, in the address."""
    return request.form if request.method == "POST" else request.args


def _is_for_strangers(rate: Mapping[str, Any]) -> bool:
    return (rate.get("conditions") or {}).get("audience") == "public"


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
