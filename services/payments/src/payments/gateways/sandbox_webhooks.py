"""Signed events of the sandbox: what a real provider would send, for rehearsals and for tests of the inbound path."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from common.clock import as_utc
from common.money import Money
from payments.gateways.errors import SignatureError
from payments.gateways.events import ChargeChanged, DisputeChanged, DisputeState, ProviderEvent
from payments.gateways.terms import ChargeOutcome, ChargeState, FailureKind

SIGNATURE_HEADER = "Sandbox-Signature"


def sign_charge_event(
    outcome: ChargeOutcome,
    *,
    secret: str,
    occurred_at: datetime,
    payment_id: str | None = None,
    taken_back: bool = False,
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the webhook call that reports a charge's outcome; the event id follows from its content."""
    fields = {
        "type": "charge",
        "charge": outcome.provider_reference,
        "state": outcome.state.value,
        "failure_code": outcome.failure_code,
        "failure_kind": outcome.failure_kind.value if outcome.failure_kind else None,
        "payment_id": payment_id,
        "taken_back": taken_back,
    }
    return _signed(fields, secret, occurred_at)


def sign_dispute_event(
    charge_reference: str, amount: Money, state: DisputeState, *, secret: str, occurred_at: datetime
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the webhook call that reports a chargeback of ``amount``."""
    fields = {
        "type": "dispute",
        "charge": charge_reference,
        "state": state.value,
        "amount_minor": amount.amount_minor,
        "currency": amount.currency,
    }
    return _signed(fields, secret, occurred_at)


def parse_signed(body: bytes, headers: Mapping[str, str], secret: str | None) -> list[ProviderEvent]:
    """The event in a signed call; raises SignatureError for any other body, and for all of them without a secret."""
    if not secret:
        raise SignatureError("this sandbox gateway has no webhook secret and takes no events")
    given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE_HEADER.lower(), "")
    if not hmac.compare_digest(given.encode(), _signature(body, secret).encode()):
        raise SignatureError("the sandbox signature does not fit the body")
    fields = json.loads(body)
    when = datetime.fromisoformat(fields["occurred_at"])
    if fields["type"] == "dispute":
        return [
            DisputeChanged(
                event_id=fields["id"],
                occurred_at=when,
                charge_reference=fields["charge"],
                dispute_reference=f"dispute.{fields['charge']}",
                amount=Money(fields["amount_minor"], fields["currency"]),
                state=DisputeState(fields["state"]),
            )
        ]
    outcome = ChargeOutcome(
        state=ChargeState(fields["state"]),
        provider_reference=fields["charge"],
        failure_code=fields["failure_code"],
        failure_kind=FailureKind(fields["failure_kind"]) if fields["failure_kind"] else None,
    )
    return [ChargeChanged(fields["id"], when, outcome, fields["payment_id"], taken_back=fields["taken_back"])]


def _signed(fields: Mapping[str, object], secret: str, occurred_at: datetime) -> tuple[bytes, dict[str, str]]:
    event_id = "sbx_evt." + sha256(json.dumps(dict(fields), sort_keys=True).encode()).hexdigest()[:24]
    body = json.dumps({**fields, "id": event_id, "occurred_at": as_utc(occurred_at).isoformat()}).encode()
    return body, {SIGNATURE_HEADER: _signature(body, secret)}


def _signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()
