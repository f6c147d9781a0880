"""``/v1/payments/{id}/action``: the public page on which a member confirms a charge with their bank (3-D Secure)."""

from __future__ import annotations

from uuid import UUID

from flask import Response, render_template_string, request
from sqlalchemy import select

from common.auth import public
from common.errors import NotFoundError
from common.http import Blueprint, bind_session
from common.ids import decode_path_id
from payments.api.access import providers
from payments.models import Gateway, Payment
from payments.services.confirming import confirm_in_sandbox

blueprint = Blueprint("payment-actions", __name__, description="Confirming a charge with the bank")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm your payment</title><meta name="robots" content="noindex">
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1rem;margin:.3rem .3rem .3rem 0;cursor:pointer}</style></head><body><main>
<h1>Confirm your payment</h1>
<p>{{ number }} · <strong>{{ amount }} {{ currency }}</strong>{% if last4 %} · card ending in {{ last4 }}{% endif %}</p>
{% if state != "action_required" %}<p role="status">Nothing is left to confirm: this payment is {{ state }}.</p>
{% elif provider == "sandbox" %}<p>This is the sandbox's bank. What does the cardholder do?</p>
<form method="post"><button name="outcome" value="succeeded">Confirm</button>
<button name="outcome" value="failed">Refuse</button></form>
{% elif secret and publishable %}<p id="note" role="status">Your bank asks you to confirm this payment.</p>
<button id="confirm" data-key="{{ publishable }}" data-secret="{{ secret }}"
 data-method="{{ method }}">Go to my bank</button>
<script src="https://js.stripe.com/v3/"></script>
<script>
const button = document.getElementById("confirm"), note = document.getElementById("note");
button.addEventListener("click", async () => {
  button.disabled = true;
  const result = await Stripe(button.dataset.key).confirmCardPayment(
    button.dataset.secret, { payment_method: button.dataset.method });
  note.textContent = result.error ? result.error.message : "Thank you, your payment is confirmed.";
  button.hidden = !result.error; button.disabled = false;
});
</script>
{% else %}<p>Sign in to the Member Portal and pay this invoice there.</p>{% endif %}
</main></body></html>"""


@blueprint.route("/v1/payments/<payment_id>/action", methods=["GET"])
@public
def show_action(payment_id: str) -> Response:
    """Show the page of the link in the member's mail."""
    return _shown(_payment(payment_id))


@blueprint.route("/v1/payments/<payment_id>/action", methods=["POST"])
@public
def take_action(payment_id: str) -> Response:
    """Confirm or refuse at the sandbox's bank (form field or JSON ``outcome``)."""
    payment = _payment(payment_id)
    session = bind_session(payment.organization_id)
    told = (request.get_json(silent=True) or {}) if request.is_json else request.form
    succeeded = told.get("outcome", "succeeded") == "succeeded" if isinstance(told, dict) else False
    confirmed = confirm_in_sandbox(session, providers(), payment.id, succeeded=succeeded)
    if request.is_json:
        return Response(f'{{"state": "{confirmed.state}"}}', content_type="application/json")
    return _shown(confirmed)


def _payment(payment_id: str) -> Payment:
    wanted: UUID = decode_path_id("pay", payment_id)
    payment = bind_session(None).scalars(select(Payment).where(Payment.id == wanted)).one_or_none()
    # A wrong key looks exactly like a payment that is not there.
    if payment is None or not providers().vault.link_fits(payment_id, request.args.get("key", "")):
        raise NotFoundError("payment_not_found", "there is no such payment")
    return payment


def _shown(payment: Payment) -> Response:
    return Response(
        render_template_string(
            _PAGE,
            number=payment.invoice_number or "",
            amount=payment.amount.decimal(),
            currency=payment.currency,
            last4=payment.last4,
            state=payment.state,
            provider=payment.provider,
            secret=payment.client_secret,
            publishable=_publishable_key(payment),
            method=(payment.request or {}).get("method_reference") or "",
        ),
        content_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


def _publishable_key(payment: Payment) -> str | None:
    """The public half of the account's keys; the provider's script identifies itself with it."""
    if payment.state != "action_required" or payment.provider != "stripe":
        return None
    gateway = bind_session(payment.organization_id).get(Gateway, payment.gateway_id)
    return providers().vault.open(gateway.credentials).get("publishable_key") if gateway else None
