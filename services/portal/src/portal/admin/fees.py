"""Fees: one-off items that go onto the next invoice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options
from portal.admin.door import DESK, blueprint, require
from portal.admin.taxes import TaxedForm, with_taxes
from portal.api import api
from portal.fields import ChoiceField, DayField, LineField, MoneyField, NumberField, required_number
from portal.formats import local
from portal.forms import MAYBE, NEEDED, act
from portal.pickers import PickerField
from portal.rehearsal_clock import now
from portal.states import STATES
from portal.translation import gettext as _
from portal.translation import lazy_gettext

STATUSES = ("unbilled", "invoiced", "waived")


class FeeForm(TaxedForm):
    """What `POST /v1/fees` takes: a one-off plan, or a name and a price."""

    LOCAL = frozenset({"customer"})

    customer = PickerField(lazy_gettext("For"), [required_number])
    plan_id = ChoiceField(lazy_gettext("From the price list"), [MAYBE])
    name = LineField(lazy_gettext("Or in your own words"), [MAYBE])
    price = MoneyField(lazy_gettext("Price"), [MAYBE])
    quantity = NumberField(lazy_gettext("Quantity"), [MAYBE])
    date = DayField(lazy_gettext("Day"), [MAYBE])
    discount_percent = NumberField(lazy_gettext("Discount"), [MAYBE])
    is_personal = BooleanField(lazy_gettext("The member pays, not their company"))
    is_refundable = BooleanField(lazy_gettext("It is a deposit and given back later"))


class FeeTermsForm(TaxedForm):
    """What `PATCH /v1/fees/{id}` takes."""

    name = LineField(lazy_gettext("What for"), [NEEDED])
    price = MoneyField(lazy_gettext("Price"), [required_number])
    quantity = NumberField(lazy_gettext("Quantity"), [required_number])
    date = DayField(lazy_gettext("Day"), [required_number])
    discount_percent = NumberField(lazy_gettext("Discount"), [MAYBE])
    revenue_account = LineField(lazy_gettext("Revenue account"), [MAYBE])
    is_refundable = BooleanField(lazy_gettext("It is a deposit and given back later"))

    def changes(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Only what differs from what is shown: a tax that comes from a plan goes on coming from there."""
        before = FeeTermsForm(formdata=None, shown=with_taxes(found)).body(nulls=True)
        body = {name: value for name, value in self.body(nulls=True).items() if value != before.get(name)}
        return {**body, "discount_percent": body["discount_percent"] or "0"} if "discount_percent" in body else body


@blueprint.get("/fees")
def fees() -> str:
    """A page of the list."""
    query = {name: request.args.get(name) for name in ("status", "source", "cursor")}
    page = api().page("/v1/fees", **query, limit=50)
    states = [("", _("All")), *((s, str(STATES[s][0])) for s in STATUSES)]
    return render_template("admin/fees/list.html", page=page, states=states)


@blueprint.route("/fees/new", methods=["GET", "POST"])
def new_fee() -> str | Response:
    """Charge somebody for something once."""
    require(*DESK)
    chosen = request.args.get("customer")
    form = FeeForm(shown={"customer": chosen, "date": local(now()).date().isoformat(), "quantity": "1"})
    form.plan_id.offer(options.plans("one_off", _("None")))
    if form.send(lambda body: api().post("/v1/fees", body | options.customer_part(form.customer.data))) is None:
        return render_template("admin/fees/new.html", form=form)
    act(dict, _("It goes onto the next invoice."))
    return redirect(url_for("admin.fees"))


@blueprint.route("/fees/<fee_id>", methods=["GET", "POST"])
def fee(fee_id: str) -> str | Response:
    """Change a fee that is not invoiced yet."""
    require(*DESK)
    path = f"/v1/fees/{fee_id}"
    found = api().get(path)
    form = FeeTermsForm(shown=with_taxes(found))
    if form.send(lambda _body: api().patch(path, form.changes(found))) is None:
        return render_template("admin/fees/edit.html", form=form, fee=found)
    act(dict, _("Saved."))
    return redirect(url_for("admin.fees"))


@blueprint.post("/fees/<fee_id>/removal")
def remove_fee(fee_id: str) -> Response:
    """Remove a fee that is not invoiced yet."""
    act(lambda: api().delete(f"/v1/fees/{fee_id}"), _("The fee is removed."))
    return redirect(url_for("admin.fees"))


@blueprint.post("/fees/<fee_id>/waiver")
def waive_fee(fee_id: str) -> Response:
    """Charge nothing for it after all; it stays in the list."""
    require(*DESK)
    act(lambda: api().post(f"/v1/fees/{fee_id}/waiver"), _("The fee is waived."))
    return redirect(url_for("admin.fees"))
