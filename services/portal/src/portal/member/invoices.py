"""A member's invoices, with Pay Now."""

from __future__ import annotations

from flask import Response as Answer
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.downloads import pass_on
from portal.links import and_back
from portal.member.door import blueprint
from portal.problems import FORM_STATUSES, ApiProblem
from portal.states import word
from portal.translation import gettext as _


@blueprint.get("/<slug>/invoices")
def invoices() -> str:
    """One's invoices, newest first."""
    page = api().page("/v1/invoices", cursor=request.args.get("cursor"), limit=30)
    return render_template("member/invoices.html", page=page)


@blueprint.get("/<slug>/invoices/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """One invoice, and a button to pay it."""
    calls = api()
    found = calls.get(f"/v1/invoices/{invoice_id}")
    owed = found["state"] == "open" and found["payable"]["amount_minor"] > 0
    return render_template(
        "member/invoice.html",
        invoice=found,
        owed=owed,
        payments=calls.items("/v1/payments", invoice_id=invoice_id),
        methods=calls.items("/v1/payment-methods", state="active") if owed else [],
    )


@blueprint.get("/<slug>/invoices/<invoice_id>/pdf")
def invoice_file(invoice_id: str) -> Answer:
    """The document itself."""
    return pass_on(f"/v1/invoices/{invoice_id}/pdf")


@blueprint.post("/<slug>/invoices/<invoice_id>/payment")
def pay(invoice_id: str) -> str | Response:
    """Pay Now with a saved method; a bank that asks back is visited first."""
    page = url_for("member.invoice", invoice_id=invoice_id)
    body = {
        "payment_method_id": request.form.get("payment_method_id", ""),
        "return_url": url_for("member.invoice", invoice_id=invoice_id, _external=True),
    }
    try:
        payment = api().post(f"/v1/invoices/{invoice_id}/payments", body)
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        flash(problem.sentence, "danger")
        return redirect(page)
    action = (payment.get("action") or {}).get("url")
    if payment["state"] == "action_required" and action:
        return render_template("member/onward.html", address=and_back(action, page))
    _tell(payment)
    return redirect(page)


def _tell(payment: dict[str, str]) -> None:
    if payment["state"] == "succeeded":
        flash(_("Paid. Thank you!"), "success")
    elif payment["state"] == "failed":
        flash(_("The payment did not go through: %(reason)s.", reason=word(payment.get("failure_code"))), "danger")
    else:
        flash(_("The payment is on its way; with some banks that takes days."), "success")
