"""Money that moved, or was to: payments, refunds, and what providers told us."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from common.money import Money
from payments.models.invoices import Customer
from payments.models.metadata import Base


class Payment(TenantMixin, VersionMixin, Base):
    """One attempt to take money. The row is committed, with the whole request, before the provider hears of it.

    ``charge`` is the weightiest report about the charge (`ChargeFact`), ``running`` whether its end is open: the
    database allows one running attempt per invoice (PAY-1). ``check_at`` (the organisation's clock) is when to ask the
    provider, ``rest_until`` (real time) keeps two workers from asking at once and gives an answer the time to arrive.
    """

    __tablename__ = "payment"
    __table_args__ = (
        Index(
            "uq_payment_running",
            "organization_id",
            "invoice_id",
            unique=True,
            postgresql_where="running AND invoice_id IS NOT NULL",
        ),
        UniqueConstraint("organization_id", "key", name="uq_payment_key"),
        UniqueConstraint("organization_id", "request_key", name="uq_payment_request_key"),
        Index("ix_payment_invoice_id", "invoice_id"),
        Index("ix_payment_gateway_id_provider_reference", "gateway_id", "provider_reference"),
        Index("ix_payment_check_at", "check_at", postgresql_where="check_at IS NOT NULL"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    invoice_id: Mapped[UUID | None]
    invoice_number: Mapped[str | None]
    customer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(default=0)
    state: Mapped[str]
    charge: Mapped[str] = mapped_column(default="UNKNOWN")
    refunds: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    disputes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    running: Mapped[bool]
    source: Mapped[str]
    provider: Mapped[str]
    gateway_id: Mapped[UUID | None]
    payment_method_id: Mapped[UUID | None]
    method: Mapped[str]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    reference: Mapped[str | None]
    attempt: Mapped[int]
    key: Mapped[str | None]
    request: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    request_key: Mapped[str | None]
    request_fingerprint: Mapped[str | None]
    provider_reference: Mapped[str | None]
    failure_code: Mapped[str | None]
    failure_kind: Mapped[str | None]
    action_url: Mapped[str | None]
    client_secret: Mapped[str | None]
    attempts: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    kept_minor: Mapped[int] = mapped_column(default=0)
    charged_at: Mapped[datetime]
    occurred_at: Mapped[datetime]
    failed_at: Mapped[datetime | None]
    check_at: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(default=0)
    booking_ids: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    checkout_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    # Who pays, as their copy stands now; lists load it with their rows.
    payer: Mapped[Customer | None] = relationship(
        primaryjoin=lambda: Customer.id == func.coalesce(foreign(Payment.member_id), foreign(Payment.company_id)),
        viewonly=True,
    )

    @property
    def customer_name(self) -> str | None:
        """The payer's name now, or as the invoice had it; None for a test charge."""
        return self.payer.name if self.payer else self.customer.get("name")

    @property
    def amount(self) -> Money:
        """What was to be taken."""
        return Money(self.amount_minor, self.currency)

    @property
    def refunded(self) -> Money:
        """What was given back so far."""
        return Money(self.refunded_minor, self.currency)


class Refund(TenantMixin, Base):
    """Money given back, or to be; made at the provider by a job, so that nothing is lost (PAY-5).

    ``key`` is the provider's idempotency key; None for refunds made in the provider's own dashboard. ``request_id`` is
    the `refund-requested` of invoicing that asked for it, ``announced`` whether others were told of it.
    """

    __tablename__ = "refund"
    __table_args__ = (
        Index("ix_refund_payment_id", "payment_id"),
        UniqueConstraint("organization_id", "request_key", name="uq_refund_request_key"),
        UniqueConstraint("payment_id", "provider_reference", name="uq_refund_payment_id_provider_reference"),
        Index("ix_refund_credit_note_id", "credit_note_id", postgresql_where="credit_note_id IS NOT NULL"),
        Index("ix_refund_request_id", "request_id", postgresql_where="request_id IS NOT NULL"),
        Index("ix_refund_check_at", "check_at", postgresql_where="check_at IS NOT NULL"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    payment_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    fact: Mapped[str]
    key: Mapped[str | None]
    request_key: Mapped[str | None]
    request_fingerprint: Mapped[str | None]
    provider_reference: Mapped[str | None]
    credit_note_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    failure_code: Mapped[str | None]
    announced: Mapped[bool] = mapped_column(default=False)
    check_at: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        """What is given back."""
        return Money(self.amount_minor, self.currency)


class WebhookEvent(TenantMixin, Base):
    """An event that a provider sent, verified and stored; a job applies it (PAY-7)."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        UniqueConstraint("gateway_id", "event_id", name="uq_webhook_event_gateway_id_event_id"),
        Index("ix_webhook_event_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    gateway_id: Mapped[UUID]
    event_id: Mapped[str]
    kind: Mapped[str]
    event: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None]
