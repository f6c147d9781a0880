"""What `invoicing` tells the others: what is owed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import msgspec

from common.messaging.message import Message
from common.money import Money
from contracts.parts import Customer, InvoiceLineSummary, Pause


class InvoicingMessage(Message, frozen=True, kw_only=True):
    """Any message of the invoicing service."""

    service: ClassVar[str] = "invoicing"


class MembershipChanged(InvoicingMessage, frozen=True, kw_only=True):
    """The whole public state of a membership; ``end_date`` is its last day (PRO-2)."""

    name: ClassVar[str] = "membership-changed"
    membership_id: UUID
    plan_id: UUID
    plan_name: str
    member_id: UUID | None = None
    company_id: UUID | None = None
    location_id: UUID | None = None
    start_date: date
    end_date: date | None = None
    status: str
    quantity: Decimal = Decimal(1)
    price: Money
    pauses: list[Pause] = []
    billed_until: date | None = None
    credits_hours: Decimal = Decimal(0)
    credits_carry_over_cap: Decimal = Decimal(0)
    passes: int = 0
    resource_discount_percent: Decimal = Decimal(0)
    version: int


class PlanPurchaseChanged(InvoicingMessage, frozen=True, kw_only=True):
    """The whole public state of a one-off plan that somebody bought, with the allowance it gives.

    ``passes`` (days) and ``credits_hours`` are for the whole quantity and good before ``expires_on``. ``status`` is
    ``active``, or ``cancelled`` when the purchase was taken back. A purchase that is to be paid at once is announced
    when it is paid.
    """

    name: ClassVar[str] = "plan-purchase-changed"
    purchase_id: UUID
    plan_id: UUID
    plan_name: str
    member_id: UUID | None = None
    company_id: UUID | None = None
    location_id: UUID | None = None
    purchased_on: date
    quantity: Decimal = Decimal(1)
    passes: int = 0
    credits_hours: Decimal = Decimal(0)
    expires_on: date | None = None
    status: str
    version: int


class BillingSettingsChanged(InvoicingMessage, frozen=True, kw_only=True):
    """The organisation's billing settings as other services need them."""

    name: ClassVar[str] = "billing-settings-changed"
    automatic_generation: bool
    automatic_sending: bool
    automatic_collection: bool
    pay_now: bool
    payment_terms_days: int
    tax_percent: Decimal = Decimal(0)
    prices_include_tax: bool = False
    retry_days: list[int] = msgspec.field(default_factory=lambda: [1, 3, 5, 7])
    reminders: list[int] = msgspec.field(default_factory=lambda: [-3, 0, 3, 7, 14])
    block_bookings_after_days: int | None = 14
    charge_hour: int = 9
    version: int


class InvoiceState(InvoicingMessage, frozen=True, kw_only=True):
    """The whole public state of an issued invoice. ``total = paid + credited + payable`` (PAY-4).

    ``collect`` says whether its customer's method is to be charged on the due date, ``collect_now`` at once.
    """

    invoice_id: UUID
    number: str
    state: str
    payment_state: str
    customer: Customer
    location_id: UUID | None = None
    issue_date: date
    due_date: date
    timezone: str
    subtotal: Money
    tax_total: Money
    total: Money
    paid: Money
    credited: Money
    payable: Money
    lines: list[InvoiceLineSummary] = []
    collect: bool = False
    collect_now: bool = False
    booking_ids: list[UUID] = []
    checkout_id: UUID | None = None
    version: int


class InvoiceIssued(InvoiceState, frozen=True, kw_only=True):
    """An invoice got its number."""

    name: ClassVar[str] = "invoice-issued"


class InvoiceChanged(InvoiceState, frozen=True, kw_only=True):
    """What is payable on an issued invoice, its due date or its collection changed."""

    name: ClassVar[str] = "invoice-changed"


class InvoiceSent(InvoiceState, frozen=True, kw_only=True):
    """An invoice is to be mailed to ``to``; ``pdf`` is the document."""

    name: ClassVar[str] = "invoice-sent"
    to: str
    sent_at: datetime
    pdf: bytes = b""
    sending: int = 1


class InvoicePaid(InvoiceState, frozen=True, kw_only=True):
    """Nothing is payable any more."""

    name: ClassVar[str] = "invoice-paid"
    paid_at: datetime


class InvoiceOverdue(InvoiceState, frozen=True, kw_only=True):
    """The due date passed with something payable."""

    name: ClassVar[str] = "invoice-overdue"
    days_overdue: int


class InvoiceReminderDue(InvoiceState, frozen=True, kw_only=True):
    """A step of the reminder ladder: ``day`` is counted from the due date, negative before it (PAY-8)."""

    name: ClassVar[str] = "invoice-reminder-due"
    day: int


class InvoiceVoided(InvoiceState, frozen=True, kw_only=True):
    """An unpaid invoice was voided; it keeps its number."""

    name: ClassVar[str] = "invoice-voided"


class CreditNoteIssued(InvoicingMessage, frozen=True, kw_only=True):
    """A credit note got its number; ``allocated`` went against the invoice, the rest is account credit or refunded."""

    name: ClassVar[str] = "credit-note-issued"
    credit_note_id: UUID
    number: str
    invoice_id: UUID
    invoice_number: str
    customer: Customer
    issue_date: date
    total: Money
    allocated: Money
    to_account_credit: Money
    refund: Money
    invoice_payable: Money
    reason: str | None = None
    pdf: bytes = b""
    version: int


class RefundRequested(InvoicingMessage, frozen=True, kw_only=True):
    """Money came for a void invoice that was to be paid at once: it goes back the way it came.

    ``amount`` is all that one request has asked for so far, so that messages may come twice and in any order.
    """

    name: ClassVar[str] = "refund-requested"
    request_id: UUID
    invoice_id: UUID
    amount: Money
    reason: str
    version: int


class DepositChanged(InvoicingMessage, frozen=True, kw_only=True):
    """A refundable deposit is held, returned, applied or forfeited."""

    name: ClassVar[str] = "deposit-changed"
    deposit_id: UUID
    customer: Customer
    state: str
    held: Money
    version: int


class CustomerStandingChanged(InvoicingMessage, frozen=True, kw_only=True):
    """A customer fell into arrears or left them; ``bookings_blocked`` stops new bookings (PAY-8)."""

    name: ClassVar[str] = "customer-standing-changed"
    customer: Customer
    overdue_since: date | None = None
    bookings_blocked: bool
    version: int
