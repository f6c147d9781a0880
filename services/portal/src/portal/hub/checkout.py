"""Buying on the storefront: details, payment while the slot is held, confirmation."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.fields import DayField, LineField
from portal.formats import local
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm
from portal.hub.door import blueprint, find, read_shop, shop_now
from portal.problems import FORM_STATUSES, ApiProblem
from portal.states import word
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class CustomerForm(ApiForm):
    """Who buys."""

    LOCAL = frozenset({"start_date"})

    customer__name = LineField(lazy_gettext("Name"), [NEEDED])
    customer__email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    customer__company = LineField(lazy_gettext("Company"), [MAYBE])
    promo_code = LineField(lazy_gettext("Promo code"), [MAYBE])
    start_date = DayField(lazy_gettext("First day"), [MAYBE])


@blueprint.route("/<slug>/checkout", methods=["GET", "POST"])
def checkout(slug: str) -> str | Response:
    """The details: what is bought stands in the address, so that it can be gone back to."""
    shop = read_shop(slug)
    item, shown = _item(shop)
    today = local(shop_now(shop), shop["organization"]["timezone"]).date().isoformat()
    form = CustomerForm(shown={"start_date": today})

    def buy(body: dict[str, Any]) -> Any:
        more = {"start_date": form.start_date.data or today} if shown.get("kind") == "recurring" else {}
        return api().post(f"/v1/storefront/{slug}/checkouts", {**body, "items": [item | more]})

    made = form.send(buy)
    if made is not None:
        return redirect(url_for("hub.pay", slug=slug, checkout_id=made["id"]))
    quote = _quote(slug, item) if item["kind"] == "booking" else None
    return render_template("hub/checkout.html", shop=shop, slug=slug, item=item, shown=shown, form=form, quote=quote)


@blueprint.route("/<slug>/checkouts/<checkout_id>", methods=["GET", "POST"])
def pay(slug: str, checkout_id: str) -> str | Response:
    """Payment with the countdown, then the confirmation, under one address."""
    shop = read_shop(slug)
    path = f"/v1/storefront/{slug}/checkouts/{checkout_id}"
    if request.method == "POST":
        _pay(path)
        return redirect(url_for("hub.pay", slug=slug, checkout_id=checkout_id))
    return render_template("hub/pay.html", shop=shop, slug=slug, checkout=api().get(path))


def _pay(path: str) -> None:
    token = request.form.get("token", "")
    try:
        answer = api().post(f"{path}/payment", {"token": token} if token else {})
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        flash(problem.sentence, "danger")
        return
    if answer.get("state") == "awaiting_payment" and answer.get("failure_code"):
        flash(_("The payment did not go through: %(reason)s.", reason=word(answer["failure_code"])), "danger")


def _item(shop: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if plan := find(shop["plans"], request.args.get("plan_id", "")):
        return {"kind": "plan", "plan_id": plan["id"]}, plan
    room = find(shop["resources"], request.args.get("resource_id", ""))
    times = {name: request.args.get(name, "") for name in ("start", "end")}
    if room is None or not all(times.values()):
        abort(404)
    place = find(shop["locations"], room["location_id"]) or {}
    return {"kind": "booking", "resource_id": room["id"], **times}, {
        **room,
        "timezone": place.get("timezone"),
        "kind": None,
    }


def _quote(slug: str, item: dict[str, Any]) -> dict[str, Any] | None:
    body = {name: item[name] for name in ("resource_id", "start", "end")}
    try:
        found: dict[str, Any] = api().post(f"/v1/storefront/{slug}/quote", body)
    except ApiProblem:
        return None
    return found
