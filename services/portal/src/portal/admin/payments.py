"""Payments and collections: what came in, what will be charged when, what failed and why."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import LineField, MoneyField
from portal.forms import MAYBE, ApiForm, act
from portal.states import STATES, choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

COLLECTION_STATES = ("scheduled", "in_progress", "awaiting_method", "gave_up", "done", "off")


class RefundForm(ApiForm):
    """What `POST /v1/payments/{id}/refunds` takes; without an amount all that is left."""

    amount = MoneyField(lazy_gettext("Amount"), [MAYBE])
    reason = LineField(lazy_gettext("Reason"), [MAYBE])


@blueprint.get("/payments")
def payments() -> str:
    """A page of the payments, newest first."""
    query = {name: request.args.get(name) for name in ("state", "source", "cursor")}
    page = api().page("/v1/payments", **query, limit=50)
    states = [("", _("All states")), *_named("succeeded", "pending", "failed", "refunded")]
    sources = [("", _("However begun")), *choices("automatic", "pay_now", "checkout", "manual")]
    return render_template("admin/payments/list.html", page=page, states=states, sources=sources)


@blueprint.get("/collections")
def collections() -> str:
    """What will be charged when, and what was tried and failed, the nearest first."""
    query = {name: request.args.get(name) for name in ("state", "cursor")}
    page = api().page("/v1/collections", **query, limit=50)
    states = [("", _("All that are open")), *_named(*COLLECTION_STATES)]
    return render_template("admin/payments/collections.html", page=page, states=states)


def _named(*names: str) -> list[tuple[str, str]]:
    return [(name, str(STATES[name][0])) for name in names]


@blueprint.route("/payments/<payment_id>", methods=["GET", "POST"])
def payment(payment_id: str) -> str | Response:
    """A payment with its attempts and refunds; giving money back."""
    form = RefundForm()
    if request.method == "POST":
        require(*EDITORS)
    sent = form.send(lambda body: api().post(f"/v1/payments/{payment_id}/refunds", body))
    if sent is not None:
        act(lambda: sent, _("The money is on its way back."))
        return redirect(url_for("admin.payment", payment_id=payment_id))
    found = api().get(f"/v1/payments/{payment_id}")
    refunds = api().items(f"/v1/payments/{payment_id}/refunds")
    return render_template("admin/payments/detail.html", payment=found, refunds=refunds, form=form)
