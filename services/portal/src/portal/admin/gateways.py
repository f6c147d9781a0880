"""Payment gateways: connect, test with a small charge, disconnect."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import PasswordField

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, LineField, OneOfField
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.seats import current_seat
from portal.translation import gettext as _
from portal.translation import lazy_gettext

# provider -> names of its credentials, as the API takes them
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "sandbox": (),
    "stripe": ("api_key", "publishable_key", "webhook_secret"),
    "gocardless": ("access_token", "webhook_secret"),
    "manual": (),
}


class GatewayForm(ApiForm):
    """What `POST /v1/payment-gateways` takes."""

    provider = OneOfField(lazy_gettext("Which one?"), [NEEDED])
    location_id = ChoiceField(lazy_gettext("For"), [MAYBE])
    credentials__publishable_key = LineField(lazy_gettext("Publishable key"), [MAYBE])
    credentials__api_key = PasswordField(lazy_gettext("Secret key"), [MAYBE])
    credentials__access_token = PasswordField(lazy_gettext("Access token"), [MAYBE])
    credentials__webhook_secret = PasswordField(lazy_gettext("Webhook secret"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With the provider's own credentials only."""
        body = super().body(nulls=nulls)
        given = body.pop("credentials", {})
        names = CREDENTIALS.get(self.provider.data or "", ())
        credentials = {name: given[name] for name in names if given.get(name)}
        return {**body, **({"credentials": credentials} if credentials else {})}


@blueprint.get("/payment-gateways")
def gateways() -> str:
    """Those connected."""
    page = api().page("/v1/payment-gateways", limit=200)
    return render_template("admin/gateways/list.html", page=page, places=dict(options.locations()))


@blueprint.route("/payment-gateways/new", methods=["GET", "POST"])
def new_gateway() -> str | Response:
    """Connect one."""
    require(*EDITORS)
    form = GatewayForm(shown={"provider": "sandbox" if current_seat().is_rehearsal else "stripe"})
    offered = ("sandbox", "stripe", "gocardless", "manual") if current_seat().is_rehearsal else tuple(CREDENTIALS)[1:]
    form.provider.offer([(name, name) for name in offered])
    form.location_id.offer(options.locations(_("All locations")))
    if form.send(lambda body: api().post("/v1/payment-gateways", body)) is None:
        return render_template("admin/gateways/new.html", form=form)
    act(dict, _("The gateway is connected."))
    return redirect(url_for("admin.gateways"))


@blueprint.post("/payment-gateways/<gateway_id>/test-charge")
def test_gateway(gateway_id: str) -> Response:
    """Charge a small amount and give it back."""
    require(*EDITORS)
    currency = current_seat().organization["currency"]
    card = {"token": "sandbox_ok"} if request.form.get("provider") == "sandbox" else {}
    body = {"amount": {"amount_minor": 100, "currency": currency}, **card}
    act(
        lambda: api().post(f"/v1/payment-gateways/{gateway_id}/test-charge", body),
        _("The test charge went through and was given back."),
    )
    return redirect(url_for("admin.gateways"))


@blueprint.post("/payment-gateways/<gateway_id>/disconnection")
def disconnect_gateway(gateway_id: str) -> Response:
    """Disconnect; refused while money is on its way."""
    require(*EDITORS)
    act(lambda: api().delete(f"/v1/payment-gateways/{gateway_id}"), _("The gateway is disconnected."))
    return redirect(url_for("admin.gateways"))
