"""Stripe's objects (as plain JSON) read as the port's outcomes and details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways.errors import GatewayRejectedError
from payments.gateways.stripe_declines import AUTHENTICATION_CODES, failure_kind
from payments.gateways.terms import (
    ChargeOutcome,
    ChargeState,
    FailureKind,
    MethodDetails,
    MethodKind,
    RefundOutcome,
    RefundState,
)

Json = Mapping[str, Any]

KINDS = {
    "card": MethodKind.CARD,
    "sepa_debit": MethodKind.SEPA_DEBIT,
    "us_bank_account": MethodKind.ACH_DEBIT,
    "bacs_debit": MethodKind.BACS_DEBIT,
}
TYPE_NAMES = {kind: name for name, kind in KINDS.items()}

_REFUND_STATES = {
    "succeeded": RefundState.SUCCEEDED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


def reference_of(value: Any) -> str | None:
    """The id of something that Stripe gives either as an id or, expanded, as an object."""
    if isinstance(value, Mapping):
        return str(value["id"])
    return None if value is None else str(value)


def charge_outcome(intent: Json) -> ChargeOutcome:
    """A PaymentIntent as an outcome."""
    status, reference = intent["status"], str(intent["id"])
    if status == "succeeded":
        return ChargeOutcome(ChargeState.SUCCEEDED, reference)
    if status in ("processing", "requires_capture"):
        return ChargeOutcome(ChargeState.PENDING, reference)
    if status == "canceled":
        return declined("canceled", reference)
    error = intent.get("last_payment_error")
    if status == "requires_payment_method" and error:
        return refused(error, intent)
    if status.startswith("requires_"):
        return _action_required(intent)
    return ChargeOutcome(ChargeState.UNKNOWN, reference, failure_code=f"status_{status}")


def refused(error: Json, intent: Json | None) -> ChargeOutcome:
    """A card error, with the PaymentIntent it happened to when Stripe names it."""
    code = str(error.get("decline_code") or error.get("code") or "card_declined")
    if AUTHENTICATION_CODES & {code, error.get("code")} and intent is not None:
        return _action_required(intent)
    return declined(code, str(intent["id"]) if intent is not None else None)


def declined(code: str, reference: str | None, kind: FailureKind | None = None) -> ChargeOutcome:
    """A failed outcome; its kind follows from the code unless given."""
    return ChargeOutcome(
        ChargeState.FAILED, reference, failure_code=code, failure_kind=kind if kind is not None else failure_kind(code)
    )


def _action_required(intent: Json) -> ChargeOutcome:
    action = intent.get("next_action") or {}
    page = action.get("redirect_to_url") or action.get("verify_with_microdeposits") or {}
    return ChargeOutcome(
        ChargeState.ACTION_REQUIRED,
        str(intent["id"]),
        action_url=page.get("url") or page.get("hosted_verification_url"),
        client_secret=intent.get("client_secret"),
    )


def refund_outcome(refund: Json) -> RefundOutcome:
    """A Refund as an outcome; a missing status (old accounts) means done."""
    state = _REFUND_STATES.get(refund.get("status") or "succeeded", RefundState.UNKNOWN)
    return RefundOutcome(state, str(refund["id"]), refund.get("failure_reason"))


def method_details(method: Json) -> MethodDetails:
    """A PaymentMethod as a person may recognise it; raises GatewayRejectedError for a kind that we cannot charge."""
    kind = KINDS.get(method["type"])
    if kind is None:
        raise GatewayRejectedError("method_kind_unsupported", f"cannot charge a method of type {method['type']}")
    facts: Json = method.get(method["type"]) or {}
    return MethodDetails(
        reference=str(method["id"]),
        customer_reference=reference_of(method.get("customer")),
        kind=kind,
        brand=facts.get("brand") or facts.get("bank_name"),
        last4=facts.get("last4"),
        exp_month=facts.get("exp_month"),
        exp_year=facts.get("exp_year"),
        fingerprint=facts.get("fingerprint"),
    )
