"""A member's payment methods; card numbers are entered at the provider, never here."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.forms import act
from portal.member.door import blueprint
from portal.seats import current_seat
from portal.security import allow_stripe
from portal.translation import gettext as _


@blueprint.get("/<slug>/payment-methods")
def methods() -> str:
    """Saved methods, and adding one."""
    return render_template("member/methods.html", methods=api().items("/v1/payment-methods"), may_pay_for=_customers())


@blueprint.post("/<slug>/payment-methods")
def add_method() -> str | Response:
    """Begin to save a method: at the sandbox at once, in the provider's element, or on its own page."""
    page = url_for("member.methods", _external=True)
    body: dict[str, Any] = {**_owner(), "return_url": page}
    if token := request.form.get("token"):
        body["token"] = token
    made = act(lambda: api().post("/v1/payment-methods/setup", body), None)
    if made is None:
        return redirect(page)
    setup = made.get("setup") or {}
    if setup.get("url"):
        return render_template("member/onward.html", address=setup["url"])
    if setup.get("client_secret"):
        allow_stripe()
        return render_template("member/enter_method.html", setup=setup, method=made)
    flash(_("Saved."), "success")
    return redirect(page)


@blueprint.route("/<slug>/payment-methods/<method_id>/confirmation", methods=["GET", "POST"])
def finish_method(method_id: str) -> Response:
    """Where the provider's element leads back to: ask whether it is done."""
    found = act(lambda: api().post(f"/v1/payment-methods/{method_id}/confirmation"), None)
    if found is not None and found["state"] == "active":
        flash(_("Saved."), "success")
    elif found is not None:
        flash(_("It is not complete yet. Please enter it again."), "danger")
    return redirect(url_for("member.methods"))


@blueprint.post("/<slug>/payment-methods/<method_id>/default")
def prefer_method(method_id: str) -> Response:
    """Charge this one first."""
    act(lambda: api().patch(f"/v1/payment-methods/{method_id}", {"is_default": True}), _("It is charged first now."))
    return redirect(url_for("member.methods"))


@blueprint.post("/<slug>/payment-methods/<method_id>/removal")
def remove_method(method_id: str) -> Response:
    """Forget one."""
    act(lambda: api().delete(f"/v1/payment-methods/{method_id}"), _("It is removed."))
    return redirect(url_for("member.methods"))


def _customers() -> list[tuple[str, str]]:
    """For whom a method may be saved: oneself, and as a billing person one's company."""
    me = current_seat().me
    mine = [("member_id", _("Myself"))]
    return [*mine, ("company_id", _("My company"))] if me.get("company_id") and me.get("is_billing_person") else mine


def _owner() -> dict[str, Any]:
    whose = "company_id" if request.form.get("whose") == "company_id" else "member_id"
    return {whose: current_seat().me.get(whose)}
