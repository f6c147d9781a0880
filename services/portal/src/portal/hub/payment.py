"""Paying while the slot is held, and how it went, all under one address."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.hub.basket import read_basket
from portal.hub.door import blueprint, read_shop
from portal.problems import FORM_STATUSES, ApiProblem
from portal.security import allow_stripe
from portal.states import word
from portal.translation import gettext as _

Checkout = dict[str, Any]


@blueprint.route("/<slug>/checkouts/<checkout_id>", methods=["GET", "POST"])
def pay(slug: str, checkout_id: str) -> str | Response:
    """Payment with the countdown, then the confirmation."""
    shop = read_shop(slug)
    path = f"/v1/storefront/{slug}/checkouts/{checkout_id}"
    items = request.args.getlist("item")
    if request.method == "POST":
        _pay(path, _chosen())
        return redirect(url_for("hub.pay", slug=slug, checkout_id=checkout_id, item=items))
    found = api().get(path)
    return render_template(
        "hub/pay.html",
        shop=shop,
        slug=slug,
        checkout=found,
        bought=read_basket(shop),
        way=_way(found),
        methods=_saved_methods() if found["state"] == "awaiting_payment" else [],
        back=url_for("hub.returned", slug=slug, checkout_id=checkout_id, item=items, _external=True),
    )


@blueprint.get("/<slug>/checkouts/<checkout_id>/returned")
def returned(slug: str, checkout_id: str) -> Response:
    """Where the provider's element leads back to after the bank has asked: what was entered pays now."""
    read_shop(slug)
    if request.args.get("redirect_status", "succeeded") == "succeeded":
        _pay(f"/v1/storefront/{slug}/checkouts/{checkout_id}", {})
    else:
        flash(_("That did not work. Please try again, or another card."), "danger")
    return redirect(url_for("hub.pay", slug=slug, checkout_id=checkout_id, item=request.args.getlist("item")))


def _chosen() -> dict[str, str]:
    """What the form says to pay with; nothing when the provider's element has saved it."""
    if method_id := request.form.get("payment_method_id"):
        return {"payment_method_id": method_id}
    token = request.form.get("token")
    return {"token": token} if token else {}


def _pay(path: str, body: dict[str, str]) -> None:
    try:
        answer = api().post(f"{path}/payment", body)
    except ApiProblem as problem:
        # When the time is over, the page itself says so.
        if problem.status not in FORM_STATUSES:
            raise
        if problem.code != "checkout_expired":
            flash(problem.sentence, "danger")
        return
    if answer.get("state") == "awaiting_payment" and answer.get("failure_code"):
        flash(_("The payment did not go through: %(reason)s.", reason=word(answer["failure_code"])), "danger")


def _way(checkout: Checkout) -> str | None:
    """How it is paid: on the provider's or bank's own ``page``, in ``stripe``'s element, or with a ``sandbox`` card."""
    payment = checkout.get("payment")
    if checkout["state"] != "awaiting_payment" or not payment:
        return None
    if payment.get("url"):
        return "page"
    if payment.get("client_secret") and payment.get("publishable_key"):
        allow_stripe()
        return "stripe"
    return "sandbox"


def _saved_methods() -> list[dict[str, Any]]:
    """What a member who has signed in has saved."""
    seat = g.get("seat")
    if seat is None or seat.is_staff:
        return []
    mine = api().items("/v1/payment-methods", state="active", member_id=seat.me.get("member_id"))
    return sorted(mine, key=lambda method: not method.get("is_default"))
