"""Resource rates: what an hour or a day costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.admin.extras import ExtrasField
from portal.admin.resources import TYPES
from portal.admin.taxes import TaxedForm, TaxInPriceField, with_taxes
from portal.api import api
from portal.fields import (
    CheckListField,
    ChoiceField,
    DayField,
    LineField,
    MoneyField,
    WholeField,
)
from portal.forms import MAYBE, NEEDED, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

UNITS = ("hour", "half_day", "day", "week", "month")
WHENS = ("off_hours", "weekend")


def _fields() -> Iterator[tuple[str, str, str]]:
    """Names of the price fields, with unit and when: the plain ones are called like their unit."""
    for unit in UNITS:
        yield unit, unit, "any"
    for when in WHENS:
        for unit in UNITS[:3]:
            yield f"{unit}_{when}", unit, when


class RateForm(TaxedForm):
    """What `POST /v1/resource-rates` takes; one field for each unit, and for the short ones also at quiet times."""

    LOCAL = frozenset(name for name, _unit, _when in _fields())

    name = LineField(lazy_gettext("Name"), [NEEDED])
    resource_ids = CheckListField(lazy_gettext("For these rooms and desks"), [MAYBE])
    hour = MoneyField(lazy_gettext("Hour"), [MAYBE])
    half_day = MoneyField(lazy_gettext("Half day"), [MAYBE])
    day = MoneyField(lazy_gettext("Day"), [MAYBE])
    week = MoneyField(lazy_gettext("Week"), [MAYBE])
    month = MoneyField(lazy_gettext("Month"), [MAYBE])
    hour_off_hours = MoneyField(lazy_gettext("Hour outside of business hours"), [MAYBE])
    half_day_off_hours = MoneyField(lazy_gettext("Half day outside of business hours"), [MAYBE])
    day_off_hours = MoneyField(lazy_gettext("Day outside of business hours"), [MAYBE])
    hour_weekend = MoneyField(lazy_gettext("Hour on weekends"), [MAYBE])
    half_day_weekend = MoneyField(lazy_gettext("Half day on weekends"), [MAYBE])
    day_weekend = MoneyField(lazy_gettext("Day on weekends"), [MAYBE])
    resource_types = CheckListField(lazy_gettext("For all of these kinds"), [MAYBE])
    conditions__audience = ChoiceField(lazy_gettext("For whom"), [MAYBE])
    conditions__plan_ids = CheckListField(lazy_gettext("Only for holders of these plans"), [MAYBE])
    conditions__valid_from = DayField(lazy_gettext("First day"), [MAYBE])
    conditions__valid_until = DayField(lazy_gettext("Last day"), [MAYBE])
    charge_slot_minutes = WholeField(lazy_gettext("Charged in steps of"), [MAYBE], default=15)
    extras = ExtrasField(lazy_gettext("Extras"), [MAYBE])
    prices_include_tax = TaxInPriceField(lazy_gettext("Prices"))
    revenue_account = LineField(lazy_gettext("Revenue account"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With prices, and conditions of what was filled in."""
        body = super().body(nulls=nulls)
        body["conditions"] = {name: value for name, value in body["conditions"].items() if value}
        body["prices"] = [
            {"unit": unit, "price": price} | ({} if when == "any" else {"when": when})
            for name, unit, when in _fields()
            if (price := self[name].api_value()) is not None
        ]
        return body


@blueprint.get("/resource-rates")
def rates() -> str:
    """All rates."""
    page = api().page("/v1/resource-rates", cursor=request.args.get("cursor"), sort="name")
    return render_template("admin/rates/list.html", page=page, names=dict(options.resources()))


@blueprint.route("/resource-rates/new", methods=["GET", "POST"])
def new_rate() -> str | Response:
    """Make a rate."""
    require(*EDITORS)
    chosen = request.args.getlist("resource_id")
    form = _form({"resource_ids": chosen, "charge_slot_minutes": 15, "name": _first_name(chosen)})
    if form.send(lambda body: api().post("/v1/resource-rates", body)) is None:
        return render_template("admin/rates/edit.html", form=form, rate=None, others=[])
    return redirect(url_for("admin.resources"))


@blueprint.route("/resource-rates/<rate_id>", methods=["GET", "POST"])
def rate(rate_id: str) -> str | Response:
    """Change a rate."""
    path = f"/v1/resource-rates/{rate_id}"
    found = api().get(path)
    prices = {(price["unit"], price.get("when", "any")): price for price in found["prices"]}
    shown = {name: prices.pop((unit, when))["price"] for name, unit, when in _fields() if (unit, when) in prices}
    others = list(prices.values())
    form = _form(with_taxes(found) | shown)
    kept = form.unshown(found, "conditions")
    if form.send(lambda body: api().patch(path, _whole(body, others, kept)), nulls=True) is None:
        return render_template("admin/rates/edit.html", form=form, rate=found, others=others)
    return redirect(url_for("admin.rates"))


@blueprint.post("/resource-rates/<rate_id>/archive")
def archive_rate(rate_id: str) -> Response:
    """Archive a rate."""
    act(lambda: api().delete(f"/v1/resource-rates/{rate_id}"), _("The rate is archived."))
    return redirect(url_for("admin.rates"))


def _whole(body: dict[str, Any], others: list[Any], kept: dict[str, Any]) -> dict[str, Any]:
    """With the prices and conditions that stand in no field."""
    body["conditions"] |= kept
    body["prices"] = body["prices"] + others
    if body.get("charge_slot_minutes") is None:
        body.pop("charge_slot_minutes", None)
    return body


def _form(shown: dict[str, Any]) -> RateForm:
    form = RateForm(shown=shown)
    form.resource_ids.offer(options.resources())
    form.resource_types.offer(choices(*TYPES))
    form.conditions__plan_ids.offer(options.plans("recurring"))
    form.conditions__audience.offer([("", _("Everybody")), ("members", _("Members")), ("public", _("Strangers"))])
    return form


def _first_name(chosen: list[str]) -> str:
    return (api().maybe(f"/v1/resources/{chosen[0]}") or {}).get("name", "") if chosen else ""
