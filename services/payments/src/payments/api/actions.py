"""``/v1/payments/{id}/action``: the public page on which a member confirms a charge with their bank (3-D Secure)."""

from __future__ import annotations

import secrets
from uuid import UUID

from flask import Response, render_template_string, request
from sqlalchemy import select

from common.auth import public
from common.errors import NotFoundError
from common.http import Blueprint, bind_session
from common.ids import decode_path_id
from payments.api.access import providers, publishable_key
from payments.models import Payment
from payments.services.confirming import ask_after_confirmation, confirm_in_sandbox

blueprint = Blueprint("payment-actions", __name__, description="Confirming a charge with the bank")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm your payment</title><meta name="robots" content="noindex">
<style nonce="{{ nonce }}">body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1rem;margin:.3rem .3rem .3rem 0;cursor:pointer}</style></head><body><main>
<h1>Confirm your payment</h1>
<p>{{ number }} · <strong>{{ amount }} {{ currency }}</strong>{% if last4 %} · card ending in {{ last4 }}{% endif %}</p>
{% if state != "action_required" %}<p role="status">Nothing is left to confirm: this payment is {{ state }}.</p>
{% elif provider == "sandbox" %}<p>This is the sandbox's bank. What does the cardholder do?</p>
<form method="post"><button name="outcome" value="succeeded">Confirm</button>
<button name="outcome" value="failed">Refuse</button></form>
{% elif secret and publishable %}
<p id="note" role="status">
{{- "Your bank asks you to confirm this payment." if method else "How do you want to pay?" }}</p>
<div id="element"></div>
<button id="confirm" data-key="{{ publishable }}" data-secret="{{ secret }}" data-method="{{ method }}"
 data-kind="{{ kind }}">{{ "Go to my bank" if method else "Pay" }}</button>
<script nonce="{{ nonce }}" src="https://js.stripe.com/v3/"></script>
<script nonce="{{ nonce }}">
const button = document.getElementById("confirm"), note = document.getElementById("note");
const { key, secret, method, kind } = button.dataset;
const stripe = Stripe(key), elements = method ? null : stripe.elements({ clientSecret: secret });
if (elements) elements.create("payment").mount("#element");
function confirmed() {
  if (elements) {
    return stripe.confirmPayment({ elements, redirect: "if_required", confirmParams: { return_url: location.href } });
  }
  if (kind === "card") return stripe.confirmCardPayment(secret, { payment_method: method });
  return stripe.handleNextAction({ clientSecret: secret });
}
async function thank() {
  button.hidden = document.getElementById("element").hidden = true;
  note.textContent = "Thank you, your payment is confirmed.";
  // The provider tells us, too; having us ask at once spares the wait.
  await fetch(location.href, { method: "POST", headers: { Accept: "application/json" } }).catch(() => {});
}
button.addEventListener("click", async () => {
  button.disabled = true;
  const result = await confirmed().catch((error) => ({ error }));
  if (!result.error) return thank();
  note.textContent = result.error.message;
  button.disabled = false;
});
if (new URLSearchParams(location.search).get("redirect_status") === "succeeded") thank();
</script>
{% else %}<p>Sign in to the Member Portal and pay this invoice there.</p>{% endif %}
{% if back %}<p><a href="{{ back }}">Back to where you came from</a></p>{% endif %}
</main></body></html>"""
_LONGEST_WAY = 2000
# This page alone may load the provider's script, which opens the bank's page in a frame of its own.
_POLICY = {
    "default-src": "'none'",
    "style-src": "'nonce-{nonce}'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_STRIPE = {
    "script-src": "'nonce-{nonce}' https://js.stripe.com",
    "frame-src": "https://js.stripe.com https://hooks.stripe.com",
    "connect-src": "'self' https://api.stripe.com",
}


@blueprint.route("/v1/payments/<payment_id>/action", methods=["GET"])
@public
def show_action(payment_id: str) -> Response:
    """Show the page of the link in the member's mail."""
    return _shown(_payment(payment_id))


@blueprint.route("/v1/payments/<payment_id>/action", methods=["POST"])
@public
def take_action(payment_id: str) -> Response:
    """Say what the member did: at the sandbox's bank (form field or JSON ``outcome``), or elsewhere; then we ask."""
    payment = _payment(payment_id)
    session = bind_session(payment.organization_id)
    if payment.provider == "sandbox":
        confirmed = confirm_in_sandbox(session, providers(), payment.id, succeeded=_is_confirmed())
    else:
        confirmed = ask_after_confirmation(session, providers(), payment)
    back = way_back(request.args.get("back", ""))
    if request.is_json or request.accept_mimetypes.best == "application/json":
        return Response(f'{{"state": "{confirmed.state}"}}', content_type="application/json")
    if back is not None and confirmed.provider == "sandbox":
        return Response(status=303, headers={"Location": back, "Cache-Control": "no-store"})
    return _shown(confirmed)


def way_back(wanted: str) -> str | None:
    """Where the customer came from, when that is a path on this very site; None for anything else."""
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and is_plain and len(wanted) <= _LONGEST_WAY else None


def _is_confirmed() -> bool:
    told = (request.get_json(silent=True) or {}) if request.is_json else request.form
    return told.get("outcome", "succeeded") == "succeeded" if isinstance(told, dict) else False


def _payment(payment_id: str) -> Payment:
    wanted: UUID = decode_path_id("pay", payment_id)
    payment = bind_session(None).scalars(select(Payment).where(Payment.id == wanted)).one_or_none()
    # A wrong key looks exactly like a payment that is not there.
    if payment is None or not providers().vault.link_fits(payment_id, request.args.get("key", "")):
        raise NotFoundError("payment_not_found", "there is no such payment")
    return payment


def _policy(payment: Payment, nonce: str) -> str:
    parts = _POLICY | (_STRIPE if payment.provider == "stripe" else {})
    return "; ".join(f"{name} {value.format(nonce=nonce)}" for name, value in parts.items())


def _shown(payment: Payment) -> Response:
    nonce = secrets.token_urlsafe(16)
    return Response(
        render_template_string(
            _PAGE,
            nonce=nonce,
            number=payment.invoice_number or "",
            amount=payment.amount.decimal(),
            currency=payment.currency,
            last4=payment.last4,
            state=payment.state,
            provider=payment.provider,
            secret=payment.client_secret,
            publishable=publishable_key(payment),
            method=(payment.request or {}).get("method_reference") or "",
            kind=payment.method,
            back=way_back(request.args.get("back", "")),
        ),
        content_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": _policy(payment, nonce),
        },
    )
