"""Plans: memberships, day passes, services."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import taxes
from portal.admin.door import EDITORS, blueprint, require
from portal.admin.taxes import TaxedForm, TaxInPriceField, with_taxes
from portal.api import api
from portal.fields import (
    ChoiceField,
    LineField,
    MoneyField,
    NumberField,
    OneOfField,
    ParagraphField,
    WholeField,
    required_number,
)
from portal.forms import MAYBE, NEEDED, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_RECURRING = (
    "interval",
    "interval_count",
    "prorate",
    "trial_days",
    "minimum_term_months",
    "notice_days",
    "credits_carry_over_cap",
)
_REMOVABLE = frozenset(
    {
        "setup_fee",
        "deposit",
        "tax_percent",
        "taxes",
        "description",
        "allowance_valid_days",
        "tax_category",
        "prices_include_tax",
        "revenue_account",
    }
)


class PlanForm(TaxedForm):
    """What `POST /v1/plans` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    kind = OneOfField(
        lazy_gettext("Kind"),
        choices=[("recurring", lazy_gettext("Membership")), ("one_off", lazy_gettext("Day pass or service"))],
        default="recurring",
    )
    price = MoneyField(lazy_gettext("Price"), [required_number])
    interval = ChoiceField(lazy_gettext("Charged every"), [MAYBE])
    interval_count = WholeField(lazy_gettext("Number of these"), [MAYBE], default=1)
    prorate = BooleanField(lazy_gettext("Charge only the days used"), default=True)
    setup_fee = MoneyField(lazy_gettext("Set-up fee"), [MAYBE])
    deposit = MoneyField(lazy_gettext("Deposit"), [MAYBE])
    trial_days = WholeField(lazy_gettext("Free days at first"), [MAYBE])
    minimum_term_months = WholeField(lazy_gettext("Shortest term"), [MAYBE])
    notice_days = WholeField(lazy_gettext("Notice to end it"), [MAYBE])
    credits_hours = NumberField(lazy_gettext("Hours of rooms included"), [MAYBE])
    passes = WholeField(lazy_gettext("Day passes included"), [MAYBE])
    resource_discount_percent = NumberField(lazy_gettext("Discount on bookings"), [MAYBE])
    allowance_valid_days = WholeField(lazy_gettext("Hours and passes are good for"), [MAYBE])
    credits_carry_over_cap = NumberField(lazy_gettext("Hours kept for the next period"), [MAYBE])
    tax_category = ChoiceField(lazy_gettext("Kind of tax"), [MAYBE])
    prices_include_tax = TaxInPriceField(lazy_gettext("Prices"))
    revenue_account = LineField(lazy_gettext("Revenue account"), [MAYBE])
    description = ParagraphField(lazy_gettext("Description"), [MAYBE])
    visibility = ChoiceField(lazy_gettext("Who sees it"), [NEEDED])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """Without what only memberships have when it is none; empty numbers keep the API's defaults."""
        body = super().body(nulls=nulls)
        kept = _REMOVABLE
        body = {name: value for name, value in body.items() if value is not None or name in kept}
        if self.kind.data != "recurring":
            return {name: value for name, value in body.items() if name not in _RECURRING}
        # A membership gives its hours and passes anew in each period.
        body.pop("allowance_valid_days", None)
        return body


@blueprint.get("/plans")
def plans() -> str:
    """A page of the list."""
    query = {name: request.args.get(name) for name in ("kind", "cursor")}
    return render_template("admin/plans/list.html", page=api().page("/v1/plans", **query, sort="name"))


@blueprint.route("/plans/new", methods=["GET", "POST"])
def new_plan() -> str | Response:
    """Make a plan."""
    require(*EDITORS)
    kind = request.args.get("kind", "recurring")
    form = _form({"kind": kind, "interval": "month", "interval_count": 1, "prorate": True, "visibility": "public"})
    if form.send(lambda body: api().post("/v1/plans", body)) is None:
        return render_template("admin/plans/edit.html", form=form, plan=None)
    return redirect(url_for("admin.plans"))


@blueprint.route("/plans/<plan_id>", methods=["GET", "POST"])
def plan(plan_id: str) -> str | Response:
    """Change a plan."""
    path = f"/v1/plans/{plan_id}"
    found = api().get(path)
    form = _form(with_taxes(found))
    if form.send(lambda body: api().patch(path, body), nulls=True) is None:
        return render_template("admin/plans/edit.html", form=form, plan=found)
    return redirect(url_for("admin.plans"))


@blueprint.post("/plans/<plan_id>/archive")
def archive_plan(plan_id: str) -> Response:
    """Take a plan off sale."""
    act(lambda: api().delete(f"/v1/plans/{plan_id}"), _("The plan is archived."))
    return redirect(url_for("admin.plans"))


def _form(shown: dict[str, Any]) -> PlanForm:
    form = PlanForm(shown=shown)
    form.interval.offer(choices("week", "month", "year"))
    form.tax_category.offer(taxes.categories())
    form.visibility.offer(choices("public", "members", "private"))
    return form
