"""Resource rates: what an hour or a day costs."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import CheckListField, LineField, MoneyField, NumberField, WholeField
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.translation import gettext as _
from portal.translation import lazy_gettext

UNITS = ("hour", "half_day", "day", "week", "month")


class RateForm(ApiForm):
    """What `POST /v1/resource-rates` takes; prices at any time, one field per unit."""

    LOCAL = frozenset(UNITS)

    name = LineField(lazy_gettext("Name"), [NEEDED])
    resource_ids = CheckListField(lazy_gettext("For these rooms and desks"), [MAYBE])
    hour = MoneyField(lazy_gettext("Hour"), [MAYBE])
    half_day = MoneyField(lazy_gettext("Half day"), [MAYBE])
    day = MoneyField(lazy_gettext("Day"), [MAYBE])
    week = MoneyField(lazy_gettext("Week"), [MAYBE])
    month = MoneyField(lazy_gettext("Month"), [MAYBE])
    charge_slot_minutes = WholeField(lazy_gettext("Charged in steps of"), [MAYBE], default=15)
    tax_percent = NumberField(lazy_gettext("Tax"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With prices."""
        body = super().body(nulls=nulls)
        body["prices"] = [
            {"unit": unit, "price": price} for unit in UNITS if (price := getattr(self, unit).api_value()) is not None
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
    plain = {p["unit"]: p["price"] for p in found["prices"] if p.get("when", "any") == "any"}
    others = [p for p in found["prices"] if p.get("when", "any") != "any"]
    form = _form({**found, **plain})
    if form.send(lambda body: api().patch(path, _with_others(body, others)), nulls=True) is None:
        return render_template("admin/rates/edit.html", form=form, rate=found, others=others)
    return redirect(url_for("admin.rates"))


@blueprint.post("/resource-rates/<rate_id>/archive")
def archive_rate(rate_id: str) -> Response:
    """Archive a rate."""
    act(lambda: api().delete(f"/v1/resource-rates/{rate_id}"), _("The rate is archived."))
    return redirect(url_for("admin.rates"))


def _with_others(body: dict[str, Any], others: list[Any]) -> dict[str, Any]:
    body["prices"] = body["prices"] + others
    if body.get("charge_slot_minutes") is None:
        body.pop("charge_slot_minutes", None)
    return body


def _form(shown: dict[str, Any]) -> RateForm:
    form = RateForm(shown=shown)
    form.resource_ids.offer(options.resources())
    return form


def _first_name(chosen: list[str]) -> str:
    return (api().maybe(f"/v1/resources/{chosen[0]}") or {}).get("name", "") if chosen else ""
