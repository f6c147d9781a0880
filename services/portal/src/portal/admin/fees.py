"""Fees: one-off items that go onto the next invoice."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, DayField, LineField, MoneyField, NumberField, required_number
from portal.formats import local
from portal.forms import MAYBE, ApiForm, act
from portal.pickers import PickerField
from portal.rehearsal_clock import now
from portal.states import STATES
from portal.translation import gettext as _
from portal.translation import lazy_gettext

STATUSES = ("unbilled", "invoiced", "waived")


class FeeForm(ApiForm):
    """What `POST /v1/fees` takes: a one-off plan, or a name and a price."""

    LOCAL = frozenset({"customer"})

    customer = PickerField(lazy_gettext("For"), [required_number])
    plan_id = ChoiceField(lazy_gettext("From the price list"), [MAYBE])
    name = LineField(lazy_gettext("Or in your own words"), [MAYBE])
    price = MoneyField(lazy_gettext("Price"), [MAYBE])
    quantity = NumberField(lazy_gettext("Quantity"), [MAYBE])
    date = DayField(lazy_gettext("Day"), [MAYBE])
    tax_percent = NumberField(lazy_gettext("Tax"), [MAYBE])
    discount_percent = NumberField(lazy_gettext("Discount"), [MAYBE])
    is_personal = BooleanField(lazy_gettext("The member pays, not their company"))
    is_refundable = BooleanField(lazy_gettext("It is a deposit and given back later"))


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
