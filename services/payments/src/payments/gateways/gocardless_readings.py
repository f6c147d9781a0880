"""GoCardless' resources (as plain JSON) read as the port's outcomes and details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways.errors import GatewayRejectedError
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

# Kind -> the scheme of its mandate and the currency that the scheme moves.
SCHEMES = {
    MethodKind.SEPA_DEBIT: ("sepa_core", "EUR"),
    MethodKind.ACH_DEBIT: ("ach", "USD"),
    MethodKind.BACS_DEBIT: ("bacs", "GBP"),
}
_KINDS = {scheme: kind for kind, (scheme, _) in SCHEMES.items()}

_CHARGE_STATES = {
    "pending_customer_approval": ChargeState.PENDING,
    "pending_submission": ChargeState.PENDING,
    "submitted": ChargeState.PENDING,
    "confirmed": ChargeState.SUCCEEDED,
    "paid_out": ChargeState.SUCCEEDED,
    # The money came in; the chargeback itself is an event of its own.
    "charged_back": ChargeState.SUCCEEDED,
    "failed": ChargeState.FAILED,
    "cancelled": ChargeState.FAILED,
    "customer_approval_denied": ChargeState.FAILED,
}
_REFUND_STATES = {
    "created": RefundState.PENDING,
    "pending_submission": RefundState.PENDING,
    "submitted": RefundState.PENDING,
    "paid": RefundState.SUCCEEDED,
    "cancelled": RefundState.FAILED,
    "bounced": RefundState.FAILED,
    "funds_returned": RefundState.FAILED,
}
# Causes (https://developer.gocardless.com/api-reference: event causes) after which this mandate never works again.
_HARD = frozenset(
    """
    account_blocked account_blocked_for_any_financial_transaction authorisation_disputed bank_account_closed
    bank_account_disabled bank_account_transferred customer_approval_denied direct_debit_not_enabled
    initial_one_off_payment_reported_lost instruction_cancelled invalid_bank_details mandate_cancelled
    mandate_expired mandate_is_inactive mandate_suspended payment_stopped
    """.split()
)
INACTIVE_MANDATES = frozenset({"failed", "cancelled", "expired", "consumed", "blocked", "suspended_by_payer"})


def failure_kind(cause: str) -> FailureKind:
    """Hard for the causes that say so; everything else may work in a few days."""
    return FailureKind.HARD if cause in _HARD else FailureKind.SOFT


def failed(cause: str, reference: str | None) -> ChargeOutcome:
    """A failed outcome; its kind follows from the cause."""
    return ChargeOutcome(ChargeState.FAILED, reference, failure_code=cause, failure_kind=failure_kind(cause))


def charge_outcome(payment: Json, cause: str | None = None) -> ChargeOutcome:
    """A payment as an outcome; ``cause`` is why it failed, which only its events tell."""
    reference, status = str(payment["id"]), str(payment["status"])
    state = _CHARGE_STATES.get(status, ChargeState.UNKNOWN)
    if state is ChargeState.FAILED:
        return failed(cause or ("canceled" if status == "cancelled" else status), reference)
    return ChargeOutcome(state, reference, failure_code=f"status_{status}" if state is ChargeState.UNKNOWN else None)


def refund_outcome(refund: Json) -> RefundOutcome:
    """A refund as an outcome; old ones have no status and are done."""
    status = refund.get("status") or "paid"
    state = _REFUND_STATES.get(status, RefundState.UNKNOWN)
    return RefundOutcome(state, str(refund["id"]), status if state is RefundState.FAILED else None)


def method_details(mandate: Json, account: Json) -> MethodDetails:
    """A mandate and its bank account as a person may recognise them. Raises GatewayRejectedError for other schemes."""
    kind = _KINDS.get(mandate["scheme"])
    if kind is None:
        raise GatewayRejectedError("method_kind_unsupported", f"cannot charge a mandate of {mandate['scheme']}")
    if mandate["status"] in INACTIVE_MANDATES:
        raise GatewayRejectedError("mandate_inactive", "this mandate can no longer be charged")
    links = mandate["links"]
    return MethodDetails(
        reference=str(mandate["id"]),
        customer_reference=links.get("customer"),
        kind=kind,
        brand=account.get("bank_name"),
        last4=account.get("account_number_ending"),
        fingerprint=links.get("customer_bank_account"),
    )
