"""GoCardless' webhook events: verified on the raw bytes, then read as ours (PAY-7).

An event names its resource and what happened, not the resource's state. Our own ids come along as the resource's
metadata. A payment that fails is over for good, also when it had been confirmed days before (a late failure), because
we make our retries ourselves: failures are reported as taken back, which outweighs success in any order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import gocardless_pro
from gocardless_pro import webhooks

from common.clock import as_utc
from common.money import Money
from payments.gateways.errors import SignatureError
from payments.gateways.events import (
    ChargeChanged,
    DisputeChanged,
    DisputeState,
    MethodGone,
    MethodSaved,
    ProviderEvent,
    RefundChanged,
)
from payments.gateways.gocardless_readings import failed
from payments.gateways.terms import ChargeOutcome, ChargeState, RefundOutcome, RefundState

Json = Mapping[str, Any]
SIGNATURE_HEADER = "webhook-signature"

_ARRIVING = frozenset({"created", "customer_approval_granted", "submitted"})
_ARRIVED = frozenset({"confirmed", "paid_out"})
_FAILED = frozenset({"failed", "cancelled", "customer_approval_denied", "late_failure_settled"})
_DISPUTES = {
    "charged_back": DisputeState.OPENED,
    "chargeback_cancelled": DisputeState.WON,
    "chargeback_settled": DisputeState.LOST,
}
_REFUNDS = {
    "created": RefundState.PENDING,
    "paid": RefundState.SUCCEEDED,
    "refund_settled": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "refund_returned": RefundState.FAILED,
    "bounced": RefundState.FAILED,
    "funds_returned": RefundState.FAILED,
}
_MANDATE_ENDS = frozenset({"cancelled", "failed", "expired", "blocked", "suspended_by_payer"})


def parse_gocardless_webhook(body: bytes, headers: Mapping[str, str], secret: str | None) -> list[ProviderEvent]:
    """Raises SignatureError unless GoCardless signed the body with our secret."""
    signature = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE_HEADER, "")
    try:
        if not secret:
            raise SignatureError("this gateway has no webhook secret and takes no events")
        found = webhooks.parse(body, secret, signature)
    except (gocardless_pro.errors.GoCardlessProError, json.JSONDecodeError, KeyError, UnicodeDecodeError) as error:
        raise SignatureError("not an event that GoCardless signed with this gateway's webhook secret") from error
    read = (_read(event.attributes) for event in found)
    return [event for event in read if event is not None]


def _read(event: Json) -> ProviderEvent | None:
    reader = _READERS.get(event["resource_type"])
    return reader(event) if reader else None


def _when(event: Json) -> datetime:
    return as_utc(datetime.fromisoformat(event["created_at"]))


def _payment(event: Json) -> ProviderEvent | None:
    action, reference = event["action"], str(event["links"]["payment"])
    metadata = event.get("resource_metadata") or {}
    if action in _DISPUTES:
        return _dispute(event, reference, metadata)
    outcome = _outcome(event, reference)
    if outcome is None:
        return None
    return ChargeChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        outcome=outcome,
        payment_id=metadata.get("payment_id"),
        idempotency_key=metadata.get("idempotency_key"),
        taken_back=outcome.state is ChargeState.FAILED,
    )


def _outcome(event: Json, reference: str) -> ChargeOutcome | None:
    action = event["action"]
    if action in _ARRIVING:
        return ChargeOutcome(ChargeState.PENDING, reference)
    if action in _ARRIVED:
        return ChargeOutcome(ChargeState.SUCCEEDED, reference)
    if action in _FAILED:
        return failed((event.get("details") or {}).get("cause") or action, reference)
    return None


def _dispute(event: Json, reference: str, metadata: Json) -> ProviderEvent:
    """A bank takes all of a debit back; the amount is not told and nowhere needed."""
    del metadata
    return DisputeChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        charge_reference=reference,
        dispute_reference=f"chargeback:{reference}",
        amount=Money(0, "EUR"),
        state=_DISPUTES[event["action"]],
        reason=(event.get("details") or {}).get("cause"),
    )


def _refund(event: Json) -> ProviderEvent | None:
    metadata, state = event.get("resource_metadata") or {}, _REFUNDS.get(event["action"])
    if state is None or not {"charge", "amount"} <= metadata.keys():
        return None
    minor, currency = metadata["amount"].split()
    return RefundChanged(
        event_id=event["id"],
        occurred_at=_when(event),
        charge_reference=metadata["charge"],
        amount=Money(int(minor), currency),
        outcome=RefundOutcome(state, str(event["links"]["refund"])),
        idempotency_key=metadata.get("idempotency_key"),
    )


def _mandate(event: Json) -> ProviderEvent | None:
    if event["action"] not in _MANDATE_ENDS:
        return None
    return MethodGone(event["id"], _when(event), str(event["links"]["mandate"]), f"mandate_{event['action']}")


def _billing_request(event: Json) -> ProviderEvent | None:
    if event["action"] != "fulfilled":
        return None
    links = event["links"]
    return MethodSaved(
        event_id=event["id"],
        occurred_at=_when(event),
        setup_reference=str(links["billing_request"]),
        customer_reference=links.get("customer"),
        method_reference=links.get("mandate_request_mandate"),
    )


_READERS: dict[str, Callable[[Json], ProviderEvent | None]] = {
    "payments": _payment,
    "refunds": _refund,
    "mandates": _mandate,
    "billing_requests": _billing_request,
}
