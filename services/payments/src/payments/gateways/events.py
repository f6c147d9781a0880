"""What providers tell us by webhook, in our words. ``event_id`` is the provider's: the key against replays (PAY-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.money import Money
from payments.gateways.terms import ChargeOutcome, MethodDetails, RefundOutcome


class DisputeState(StrEnum):
    """A chargeback takes the money when it opens; ``won`` brings it back."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ChargeChanged:
    """A charge succeeded, failed, is pending or waits for the member.

    ``taken_back``: it had succeeded and the money was taken back (a direct debit returned late, PAY-3).
    ``payment_id`` and ``idempotency_key`` come from the charge's metadata: they find the attempt when the webhook
    overtakes the API's answer and the reference is not stored yet.
    """

    event_id: str
    occurred_at: datetime
    outcome: ChargeOutcome
    payment_id: str | None = None
    idempotency_key: str | None = None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class RefundChanged:
    """A refund was made (by us or in the provider's dashboard), settled or failed."""

    event_id: str
    occurred_at: datetime
    charge_reference: str
    amount: Money
    outcome: RefundOutcome
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeChanged:
    """A chargeback was opened or decided."""

    event_id: str
    occurred_at: datetime
    charge_reference: str
    dispute_reference: str
    amount: Money
    state: DisputeState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MethodSaved:
    """A setup was finished by the member: ask `complete_setup` for the method's details."""

    event_id: str
    occurred_at: datetime
    setup_reference: str
    customer_reference: str | None
    method_reference: str | None


@dataclass(frozen=True, slots=True)
class MethodChanged:
    """Details of a saved method changed: a card updater's new number or expiry date."""

    event_id: str
    occurred_at: datetime
    method: MethodDetails


@dataclass(frozen=True, slots=True)
class MethodGone:
    """A method can no longer be charged: detached, or its mandate was revoked."""

    event_id: str
    occurred_at: datetime
    method_reference: str
    reason: str


ProviderEvent = ChargeChanged | RefundChanged | DisputeChanged | MethodSaved | MethodChanged | MethodGone
