"""Invoices with their lines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CHAR, CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.domain.allocation import Balance
from invoicing.models.line_amounts import LineAmounts
from invoicing.models.metadata import Base


class Invoice(TenantMixin, VersionMixin, Base):
    """What a customer owes. Everything up to ``total_minor`` never changes once issued (DOC-3), but the zone in which
    its days begin, which follows its location's."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("total_minor = paid_minor + credited_minor + payable_minor", name="balance"),
        CheckConstraint("paid_minor >= 0 AND credited_minor >= 0 AND payable_minor >= 0", name="amounts"),
        CheckConstraint("state IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name="state"),
        CheckConstraint("(state = 'draft') = (number IS NULL)", name="number"),
        UniqueConstraint("organization_id", "number", name="uq_invoice_organization_id_number"),
        Index("ix_invoice_payer_id", "payer_id"),
        Index("ix_invoice_organization_id_issue_date", "organization_id", "issue_date"),
        Index("ix_invoice_send_at", "organization_id", "send_at", postgresql_where="send_at IS NOT NULL"),
        Index("ix_invoice_dunning_at", "organization_id", "dunning_at", postgresql_where="dunning_at IS NOT NULL"),
        Index("ix_invoice_billing_run_id", "billing_run_id"),
        Index("ix_invoice_checkout_id", "checkout_id", postgresql_where="checkout_id IS NOT NULL"),
    )

    organization_id: Mapped[UUID] = mapped_column()  # the first column of other indexes
    number: Mapped[str | None]
    state: Mapped[str]
    payment_state: Mapped[str] = mapped_column(default="unpaid")
    payer_id: Mapped[UUID]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    location_id: Mapped[UUID | None]
    timezone: Mapped[str]
    language: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    issue_date: Mapped[date]
    due_date: Mapped[date]
    note: Mapped[str | None]
    discounts: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    discount_total_minor: Mapped[int] = mapped_column(default=0)
    subtotal_minor: Mapped[int]
    tax_breakdown: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    tax_total_minor: Mapped[int]
    total_minor: Mapped[int]
    paid_minor: Mapped[int] = mapped_column(default=0)
    credited_minor: Mapped[int] = mapped_column(default=0)
    payable_minor: Mapped[int]
    processing_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    collect: Mapped[bool] = mapped_column(default=False)
    collect_now: Mapped[bool] = mapped_column(default=False)
    booking_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    checkout_id: Mapped[UUID | None]
    billing_run_id: Mapped[UUID | None]
    send_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    sent_to: Mapped[str | None]
    sendings: Mapped[int] = mapped_column(default=0)
    send_problem: Mapped[str | None]
    dunning_at: Mapped[datetime | None]
    reminded: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    overdue_announced: Mapped[bool] = mapped_column(default=False)
    late_fees: Mapped[int] = mapped_column(default=0)
    memberships_ended: Mapped[bool] = mapped_column(default=False, server_default=false())
    paid_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    lines: Mapped[list[InvoiceLine]] = relationship(
        order_by="InvoiceLine.position", back_populates="invoice", lazy="select", cascade="all, delete-orphan"
    )

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def subtotal(self) -> Money:
        """Before tax."""
        return self._money(self.subtotal_minor)

    @property
    def discount_total(self) -> Money:
        """What the document's discounts took off the lines."""
        return self._money(self.discount_total_minor)

    @property
    def tax_total(self) -> Money:
        """All taxes."""
        return self._money(self.tax_total_minor)

    @property
    def total(self) -> Money:
        """With tax."""
        return self._money(self.total_minor)

    @property
    def paid(self) -> Money:
        """Money that arrived and stayed."""
        return self._money(self.paid_minor)

    @property
    def credited(self) -> Money:
        """Credit notes and account credit laid on it."""
        return self._money(self.credited_minor)

    @property
    def payable(self) -> Money:
        """What is left to pay."""
        return self._money(self.payable_minor)

    @property
    def balance(self) -> Balance:
        """The three parts of the total (PAY-4)."""
        return Balance(self.total, self.paid, self.credited)


class InvoiceLine(LineAmounts, TenantMixin, Base):
    """A billed thing. ``released``: it bills its source no more (the invoice is void, or it was settled to 0)."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        Index("ix_invoice_line_invoice_id", "invoice_id"),
        Index(
            "uq_invoice_line_membership_id_period_start_kind",
            "membership_id",
            "period_start",
            "kind",
            unique=True,
            postgresql_where="membership_id IS NOT NULL AND NOT released",
        ),
        Index(
            "uq_invoice_line_fee_id",
            "fee_id",
            unique=True,
            postgresql_where="fee_id IS NOT NULL AND NOT released",
        ),
    )

    organization_id: Mapped[UUID] = mapped_column()  # lines are found by their invoices
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id", name="fk_invoice_line_invoice_id"))
    position: Mapped[int]
    kind: Mapped[str]
    description: Mapped[str]
    explain: Mapped[str | None]
    details: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    membership_id: Mapped[UUID | None]
    fee_id: Mapped[UUID | None]
    booking_id: Mapped[UUID | None]
    plan_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    revenue_account: Mapped[str | None]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    quantity: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(CHAR(3))
    unit_price_minor: Mapped[int]
    discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    amount_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    taxes: Mapped[list[Any]] = mapped_column(JSONB)
    prices_include_tax: Mapped[bool]
    used_days: Mapped[int | None]
    full_days: Mapped[int | None]
    charged_days: Mapped[int | None]
    is_refundable: Mapped[bool] = mapped_column(default=False)
    credited_net_minor: Mapped[int] = mapped_column(default=0)
    credited_taxes: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    released: Mapped[bool] = mapped_column(default=False)

    invoice: Mapped[Invoice] = relationship(back_populates="lines")

    @property
    def unit_price(self) -> Money:
        """Per unit (and period)."""
        return Money(self.unit_price_minor, self.currency)

    @property
    def amount(self) -> Money:
        """After the line's own discounts, in its tax mode."""
        return Money(self.amount_minor, self.currency)

    @property
    def period(self) -> dict[str, date] | None:
        """The days it is for; the end is exclusive."""
        if self.period_start is None or self.period_end is None:
            return None
        return {"start": self.period_start, "end": self.period_end}

    @property
    def tax_percent(self) -> Decimal:
        """The sum of its tax rates."""
        return sum((Decimal(tax["percent"]) for tax in self.taxes), Decimal(0))

    @property
    def tax_category(self) -> str:
        """The category of its (first) tax."""
        return str(self.taxes[0]["category"]) if self.taxes else "Z"
