"""Fees: one-off items that go onto the next invoice."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options
from portal.admin.dashboard import now
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, DayField, LineField, MoneyField, NumberField
from portal.formats import local
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.names import customer_names
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class FeeForm(ApiForm):
    """What `POST /v1/fees` takes: a one-off plan, or a name and a price."""

    LOCAL = frozenset({"customer"})

    customer = ChoiceField(lazy_gettext("For"), [NEEDED])
    plan_id = ChoiceField(lazy_gettext("From the price list"), [MAYBE])
    name = LineField(lazy_gettext("Or in your own words"), [MAYBE])
    price = MoneyField(lazy_gettext("Price"), [MAYBE])
    quantity = NumberField(lazy_gettext("Quantity"), [MAYBE])
    date = DayField(lazy_gettext("Day"), [MAYBE])
    tax_percent = NumberField(lazy_gettext("Tax"), [MAYBE])
    is_refundable = BooleanField(lazy_gettext("It is a deposit and given back later"))


@blueprint.get("/fees")
def fees() -> str:
    """A page of the list."""
    page = api().page("/v1/fees", cursor=request.args.get("cursor"), limit=50)
    return render_template("admin/fees/list.html", page=page, names=customer_names(page.items))


@blueprint.route("/fees/new", methods=["GET", "POST"])
def new_fee() -> str | Response:
    """Charge somebody for something once."""
    require(*DESK)
    chosen = request.args.get("customer")
    form = FeeForm(shown={"customer": chosen, "date": local(now()).date().isoformat(), "quantity": "1"})
    form.customer.offer(options.customers(chosen))
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
