"""Stripe's webhook events: verified on the raw bytes, then read as ours (PAY-7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from payments.gateways.errors import SignatureError
from payments.gateways.events import (
    ChargeChanged,
    DisputeChanged,
    DisputeState,
    MethodChanged,
    MethodGone,
    MethodSaved,
    ProviderEvent,
    RefundChanged,
)
from payments.gateways.stripe_money import from_stripe_amount
from payments.gateways.stripe_readings import KINDS, charge_outcome, method_details, reference_of, refund_outcome

Json = Mapping[str, Any]

# Inquiries (warning_*) move no money and are left out.
_DISPUTE_STATES = {
    "needs_response": DisputeState.OPENED,
    "under_review": DisputeState.OPENED,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def parse_stripe_webhook(body: bytes, headers: Mapping[str, str], secret: str | None) -> list[ProviderEvent]:
    """Raises SignatureError unless the body is an event that Stripe signed with our secret in the last five minutes."""
    signature = {name.lower(): value for name, value in headers.items()}.get("stripe-signature")
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
        event: Json = json.loads(body)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise SignatureError("not an event that Stripe signed with this gateway's webhook secret") from error
    read = _READERS.get(event["type"])
    found = read(event, event["data"]["object"]) if read else None
    return [found] if found else []


def _when(event: Json) -> datetime:
    return datetime.fromtimestamp(event["created"], UTC)


def _charge(event: Json, intent: Json) -> ProviderEvent:
    metadata = intent.get("metadata") or {}
    return ChargeChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        outcome=charge_outcome(intent),
        payment_id=metadata.get("payment_id"),
        idempotency_key=metadata.get("idempotency_key"),
    )


def _refund(event: Json, refund: Json) -> ProviderEvent | None:
    charge = reference_of(refund.get("payment_intent"))
    if charge is None:
        return None
    return RefundChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        charge_reference=charge,
        amount=from_stripe_amount(refund["amount"], refund["currency"]),
        outcome=refund_outcome(refund),
        idempotency_key=(refund.get("metadata") or {}).get("idempotency_key"),
    )


def _dispute(event: Json, dispute: Json) -> ProviderEvent | None:
    charge, state = reference_of(dispute.get("payment_intent")), _DISPUTE_STATES.get(dispute["status"])
    if charge is None or state is None:
        return None
    return DisputeChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        charge_reference=charge,
        dispute_reference=dispute["id"],
        amount=from_stripe_amount(dispute["amount"], dispute["currency"]),
        state=state,
        reason=dispute.get("reason"),
    )


def _setup(event: Json, setup: Json) -> ProviderEvent:
    return MethodSaved(
        event_id=event["id"],
        occurred_at=_when(event),
        setup_reference=setup["id"],
        customer_reference=reference_of(setup.get("customer")),
        method_reference=reference_of(setup.get("payment_method")),
    )


def _method_changed(event: Json, method: Json) -> ProviderEvent | None:
    if method["type"] not in KINDS:
        return None
    return MethodChanged(event["id"], _when(event), method_details(method))


def _method_detached(event: Json, method: Json) -> ProviderEvent:
    return MethodGone(event["id"], _when(event), method["id"], "detached")


def _mandate(event: Json, mandate: Json) -> ProviderEvent | None:
    method = reference_of(mandate.get("payment_method"))
    if mandate["status"] != "inactive" or method is None:
        return None
    return MethodGone(event["id"], _when(event), method, "mandate_revoked")


_READERS: dict[str, Callable[[Json, Json], ProviderEvent | None]] = {
    "payment_intent.succeeded": _charge,
    "payment_intent.processing": _charge,
    "payment_intent.payment_failed": _charge,
    "payment_intent.requires_action": _charge,
    "payment_intent.canceled": _charge,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "setup_intent.succeeded": _setup,
    "payment_method.updated": _method_changed,
    "payment_method.automatically_updated": _method_changed,
    "payment_method.detached": _method_detached,
    "mandate.updated": _mandate,
}
