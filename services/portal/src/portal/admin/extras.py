"""What can be booked along with a room, as the lines of text that a rate has (``Projector 15.00``)."""

from __future__ import annotations

import re
from typing import Any

from babel.numbers import format_decimal
from wtforms.widgets import TextArea

from common.money import Money, currency_exponent
from portal.api import api
from portal.extras import with_orders
from portal.fields import TypedField, organization_currency, read_number
from portal.translation import gettext as _
from portal.translation import locale


class ExtrasField(TypedField):
    """A line for each extra: its name and its price. A name that stays keeps its code, by which it is booked."""

    widget = TextArea()

    def shown(self) -> str:
        """As they are typed."""
        return "\n".join(f"{extra['name']} {_amount(extra['price'])}" for extra in self.data or ())

    def read(self, text: str) -> list[dict[str, Any]]:
        """Read them."""
        return [self._extra(line.strip()) for line in text.splitlines() if line.strip()]

    def api_value(self) -> list[dict[str, Any]]:
        """No text is no extras."""
        return self.data or []

    def _extra(self, line: str) -> dict[str, Any]:
        name, _blank, price = line.rpartition(" ")
        currency = organization_currency()
        try:
            amount = read_number(price).scaleb(currency_exponent(currency))
        except ValueError as error:
            raise ValueError(_("This line has no price such as 15.00 at its end: %(line)s", line=line)) from error
        if not name.strip() or amount < 0 or amount != amount.to_integral_value():
            raise ValueError(_("This line has no price such as 15.00 at its end: %(line)s", line=line))
        money = {"amount_minor": int(amount), "currency": currency}
        return {"code": self._code(name.strip()), "name": name.strip(), "price": money}

    def _code(self, name: str) -> str:
        known = {extra["name"]: extra["code"] for extra in self.object_data or ()}
        return str(known.get(name) or re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "extra")


def _amount(price: dict[str, Any]) -> str:
    """With the currency's decimals, without its name."""
    pattern = ("0." + "0" * currency_exponent(price["currency"])).rstrip(".")
    return format_decimal(Money(**price).decimal(), pattern, locale=locale())


def offered_extras() -> list[dict[str, Any]]:
    """All extras of all rates, with what the sent form asks for; which rooms have them the API knows."""
    rates = api().items("/v1/resource-rates", limit=200)
    found = {extra["code"]: extra for rate in rates for extra in rate.get("extras") or ()}
    return with_orders(found.values())
