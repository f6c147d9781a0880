"""What invoicing knows of the others: customers, locations, plans, promo codes, bookings, payments and refunds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Index, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.models.metadata import Base


class Customer(TenantMixin, VersionMixin, Base):
    """A member or company: who pays. ``version`` is the copy's, 0 while only the id is known.

    Locking this row comes before every change of what the customer owes: it is the one lock of their money.
    """

    __tablename__ = "customer"
    __table_args__ = (CheckConstraint("kind IN ('member', 'company')", name="kind"),)

    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str | None]
    company_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    billing: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    billing_day: Mapped[int | None]
    auto_collect: Mapped[bool] = mapped_column(default=True)
    reminders: Mapped[bool] = mapped_column(default=True)
    is_billing_person: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="active")
    overdue_since: Mapped[date | None]
    bookings_blocked: Mapped[bool] = mapped_column(default=False)
    standing_version: Mapped[int] = mapped_column(default=0)

    @property
    def billing_email(self) -> str | None:
        """Where invoices go."""
        return self.billing.get("email") or self.email

    @property
    def billing_name(self) -> str:
        """Who an invoice is addressed to."""
        return self.billing.get("name") or self.name

    @property
    def billing_language(self) -> str | None:
        """The language of the customer's documents, when they chose one."""
        return self.billing.get("language") or self.language


class Location(TenantMixin, VersionMixin, Base):
    """A location's copy."""

    __tablename__ = "location"

    name: Mapped[str]
    code: Mapped[str | None]
    timezone: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    tax_percent: Mapped[Decimal | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    archived: Mapped[bool] = mapped_column(default=False)


class Plan(TenantMixin, VersionMixin, Base):
    """A plan's copy; memberships and fees take their terms from it when they are made."""

    __tablename__ = "plan"

    name: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    price_minor: Mapped[int]
    interval: Mapped[str | None]
    interval_count: Mapped[int] = mapped_column(default=1)
    prorate: Mapped[bool] = mapped_column(default=True)
    setup_fee_minor: Mapped[int | None]
    deposit_minor: Mapped[int | None]
    trial_days: Mapped[int] = mapped_column(default=0)
    minimum_term_months: Mapped[int] = mapped_column(default=0)
    notice_days: Mapped[int] = mapped_column(default=0)
    credits_hours: Mapped[Decimal] = mapped_column(default=Decimal(0))
    credits_carry_over_cap: Mapped[Decimal] = mapped_column(default=Decimal(0))
    passes: Mapped[int] = mapped_column(default=0)
    allowance_valid_days: Mapped[int | None]
    resource_discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    tax_percent: Mapped[Decimal | None]
    tax_category: Mapped[str | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    prices_include_tax: Mapped[bool | None]
    revenue_account: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(default="public")
    archived: Mapped[bool] = mapped_column(default=False)

    @property
    def price(self) -> Money:
        """Per interval, or once."""
        return Money(self.price_minor, self.currency)


class PromoCode(TenantMixin, VersionMixin, Base):
    """A promo code's copy; ``code`` is in capitals."""

    __tablename__ = "promo_code"
    __table_args__ = (Index("ix_promo_code_organization_id_code", "organization_id", "code"),)

    code: Mapped[str]
    percent: Mapped[Decimal | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(CHAR(3))
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    max_uses: Mapped[int | None]
    max_uses_per_customer: Mapped[int | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    archived: Mapped[bool] = mapped_column(default=False)


class PromoRedemption(TenantMixin, Base):
    """One use of a promo code; counted under a lock on the code (GH-3)."""

    __tablename__ = "promo_redemption"
    __table_args__ = (
        UniqueConstraint("promo_code_id", "used_for_id", name="uq_promo_redemption_promo_code_id_used_for_id"),
    )

    promo_code_id: Mapped[UUID]
    payer_id: Mapped[UUID]
    used_for_id: Mapped[UUID]
    created_at: Mapped[datetime]


class BookingCopy(TenantMixin, VersionMixin, Base):
    """The newest state of a booking, from which its fee follows; ``state`` is the message's body."""

    __tablename__ = "booking_copy"

    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    starts_at: Mapped[datetime]


class PaymentCopy(TenantMixin, VersionMixin, Base):
    """The newest state of a payment; what an invoice has been paid is the sum over these."""

    __tablename__ = "payment_copy"
    __table_args__ = (Index("ix_payment_copy_invoice_id", "invoice_id"),)

    invoice_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str]
    method: Mapped[str]
    source: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=1)
    occurred_at: Mapped[datetime]


class RefundCopy(TenantMixin, Base):
    """One refund; those of a credit note credit the invoice, the others make it payable again (PAY-5).

    One that ``failed`` did neither. ``request_id``: what asked for it, of money for a void invoice.
    """

    __tablename__ = "refund_copy"
    __table_args__ = (Index("ix_refund_copy_invoice_id", "invoice_id"),)

    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID | None]
    credit_note_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    occurred_at: Mapped[datetime]
    failed: Mapped[bool] = mapped_column(default=False, server_default=false())
