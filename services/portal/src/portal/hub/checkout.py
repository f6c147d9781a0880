"""The basket and the buyer's details: everything before the payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from common.money import Money
from portal.api import api
from portal.fields import DayField, LineField
from portal.formats import local
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm
from portal.hub.basket import Line, changed, read_basket
from portal.hub.door import Shop, blueprint, read_shop, shop_now
from portal.hub.rooms import quoted
from portal.refusals import in_words
from portal.translation import lazy_gettext


class BuyForm(ApiForm):
    """What everybody may say."""

    LOCAL = frozenset({"start_date"})

    promo_code = LineField(lazy_gettext("Promo code"), [MAYBE])
    start_date = DayField(lazy_gettext("First day"), [MAYBE])


class GuestForm(BuyForm):
    """Who buys, when nobody has signed in."""

    customer__name = LineField(lazy_gettext("Name"), [NEEDED])
    customer__email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    customer__company = LineField(lazy_gettext("Company"), [MAYBE])


@dataclass(frozen=True, slots=True)
class Priced:
    """A line with its price, and the addresses of the basket without it, with one more and with one fewer."""

    line: Line
    price: dict[str, Any] | None
    why_not: str | None
    without: list[str]
    more: list[str]
    fewer: list[str]


@blueprint.route("/<slug>/checkout", methods=["GET", "POST"])
def checkout(slug: str) -> str | Response:
    """What is in the basket, who buys, and on to the payment."""
    shop = read_shop(slug)
    lines = read_basket(shop)
    form = _form(shop)
    if not lines:
        return render_template("hub/empty.html", shop=shop, slug=slug)

    def buy(body: dict[str, Any]) -> Any:
        items = [line.body(form.start_date.data) for line in lines]
        return api().post(f"/v1/storefront/{slug}/checkouts", {**body, "items": items})

    made = form.send(buy)
    if made is not None:
        items = [line.text for line in lines]
        return redirect(url_for("hub.pay", slug=slug, checkout_id=made["id"], item=items))
    rows = [_priced(slug, lines, line) for line in lines]
    return render_template(
        "hub/checkout.html", shop=shop, slug=slug, rows=rows, form=form, total=_total(rows), buyer=_buyer()
    )


def _form(shop: Shop) -> BuyForm:
    today = local(shop_now(shop), shop["organization"]["timezone"]).date().isoformat()
    kind = GuestForm if _buyer() is None else BuyForm
    return kind(shown={"start_date": today})


def _buyer() -> dict[str, Any] | None:
    """The member who has signed in."""
    seat = g.get("seat")
    me: dict[str, Any] | None = seat.me if seat is not None and not seat.is_staff else None
    return me


def _priced(slug: str, lines: list[Line], line: Line) -> Priced:
    price, why_not = _price(slug, line)
    counts = (changed(lines, line, quantity) for quantity in (0, line.quantity + 1, max(line.quantity - 1, 0)))
    return Priced(line, price, why_not, *counts)


def _price(slug: str, line: Line) -> tuple[dict[str, Any] | None, str | None]:
    if not line.is_room:
        price = line.thing["price"]
        return {**price, "amount_minor": price["amount_minor"] * line.quantity}, None
    quote, why_not = quoted(slug, line.thing["id"], line.wanted())
    if quote is None:
        return None, why_not
    against = [in_words(violation["code"], violation["detail"]) for violation in quote.get("violations") or ()]
    taken = None if quote.get("available", True) else "taken"
    return quote["total"], taken or (against[0] if against else None)


def _total(rows: list[Priced]) -> dict[str, Any] | None:
    """The sum of all prices; None as long as one is missing."""
    prices = [Money(**row.price) for row in rows if row.price is not None]
    if len(prices) < len(rows):
        return None
    total = Money.total(prices, prices[0].currency)
    return {"amount_minor": total.amount_minor, "currency": total.currency}
