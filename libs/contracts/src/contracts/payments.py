"""What `payments` tells the others: how it is paid."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from common.messaging.message import Message
from common.money import Money
from contracts.parts import Customer


class PaymentsMessage(Message, frozen=True, kw_only=True):
    """Any message of the payments service."""

    service: ClassVar[str] = "payments"


class PaymentState(PaymentsMessage, frozen=True, kw_only=True):
    """The whole public state of a payment. ``source``: automatic, pay_now, manual, checkout or test."""

    payment_id: UUID
    invoice_id: UUID | None = None
    invoice_number: str | None = None
    customer: Customer
    amount: Money
    refunded: Money
    state: str
    source: str
    provider: str
    method: str
    brand: str | None = None
    last4: str | None = None
    reference: str | None = None
    attempt: int = 1
    occurred_at: datetime
    booking_ids: list[UUID] = []
    checkout_id: UUID | None = None
    version: int


class PaymentSucceeded(PaymentState, frozen=True, kw_only=True):
    """Money arrived."""

    name: ClassVar[str] = "payment-succeeded"


class PaymentPending(PaymentState, frozen=True, kw_only=True):
    """A direct debit or the like is on its way (PAY-3)."""

    name: ClassVar[str] = "payment-pending"


class PaymentFailed(PaymentState, frozen=True, kw_only=True):
    """An attempt failed; ``next_attempt_at`` is None when it will not be tried again by itself (PAY-2)."""

    name: ClassVar[str] = "payment-failed"
    failure_code: str
    failure_kind: str
    next_attempt_at: datetime | None = None


class PaymentReversed(PaymentState, frozen=True, kw_only=True):
    """Money that had arrived was taken back by the provider: a chargeback or a late debit return (PAY-3)."""

    name: ClassVar[str] = "payment-reversed"
    reason: str


class PaymentRefunded(PaymentState, frozen=True, kw_only=True):
    """Money was given back; ``refund`` is this one, ``refunded`` the sum so far. A refund without a credit note
    makes the invoice payable again."""

    name: ClassVar[str] = "payment-refunded"
    refund_id: UUID
    refund: Money
    credit_note_id: UUID | None = None
    reason: str | None = None


class PaymentRefundFailed(PaymentState, frozen=True, kw_only=True):
    """A refund did not reach the customer: it could not be made, or the provider accepted it and later failed.

    ``refund`` is this one, ``refunded`` the sum without it: the money is still with us. It may come without a
    `PaymentRefunded` before it, and may overtake it. ``request_id``: the `refund-requested` that asked for it.
    """

    name: ClassVar[str] = "payment-refund-failed"
    refund_id: UUID
    refund: Money
    credit_note_id: UUID | None = None
    request_id: UUID | None = None
    reason: str | None = None
    failure_code: str


class PaymentActionRequired(PaymentState, frozen=True, kw_only=True):
    """The customer must confirm the charge with their bank (3-D Secure) at ``action_url``."""

    name: ClassVar[str] = "payment-action-required"
    action_url: str


class PaymentMethodChanged(PaymentsMessage, frozen=True, kw_only=True):
    """The whole public state of a payment method."""

    name: ClassVar[str] = "payment-method-changed"
    payment_method_id: UUID
    customer: Customer
    provider: str
    kind: str
    brand: str | None = None
    last4: str | None = None
    expires_on: date | None = None
    is_default: bool
    state: str
    version: int


class PaymentMethodExpiring(PaymentsMessage, frozen=True, kw_only=True):
    """A card ends soon and a charge is to come (PAY-9)."""

    name: ClassVar[str] = "payment-method-expiring"
    payment_method_id: UUID
    customer: Customer
    brand: str | None = None
    last4: str | None = None
    expires_on: date
    days_left: int
    version: int


class GatewayChanged(PaymentsMessage, frozen=True, kw_only=True):
    """A payment gateway was connected, changed or disconnected. Never carries a secret."""

    name: ClassVar[str] = "gateway-changed"
    gateway_id: UUID
    provider: str
    location_id: UUID | None = None
    methods: list[str] = []
    state: str
    version: int
