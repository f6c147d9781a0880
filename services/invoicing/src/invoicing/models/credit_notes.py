"""Credit notes with their lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.models.invoices import Invoice
from invoicing.models.line_amounts import LineAmounts
from invoicing.models.metadata import Base


class CreditNote(TenantMixin, VersionMixin, Base):
    """Takes back an invoice or parts of it. ``total = allocated + to_account_credit + refund``."""

    __tablename__ = "credit_note"
    __table_args__ = (
        CheckConstraint("total_minor = allocated_minor + to_account_credit_minor + refund_minor", name="split"),
        UniqueConstraint("organization_id", "number", name="uq_credit_note_organization_id_number"),
        Index("ix_credit_note_invoice_id", "invoice_id"),
        Index("ix_credit_note_payer_id", "payer_id"),
    )

    number: Mapped[str]
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id", name="fk_credit_note_invoice_id"))
    payer_id: Mapped[UUID]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    language: Mapped[str]
    issue_date: Mapped[date]
    currency: Mapped[str] = mapped_column(CHAR(3))
    subtotal_minor: Mapped[int]
    tax_breakdown: Mapped[list[Any]] = mapped_column(JSONB)
    tax_total_minor: Mapped[int]
    total_minor: Mapped[int]
    allocated_minor: Mapped[int]
    to_account_credit_minor: Mapped[int]
    refund_minor: Mapped[int]
    reason: Mapped[str | None]
    billing_run_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    lines: Mapped[list[CreditNoteLine]] = relationship(order_by="CreditNoteLine.position", lazy="select")
    invoice: Mapped[Invoice] = relationship(lazy="select")

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def subtotal(self) -> Money:
        """Before tax."""
        return self._money(self.subtotal_minor)

    @property
    def tax_total(self) -> Money:
        """All taxes."""
        return self._money(self.tax_total_minor)

    @property
    def total(self) -> Money:
        """With tax."""
        return self._money(self.total_minor)

    @property
    def allocated(self) -> Money:
        """What went against payable invoices."""
        return self._money(self.allocated_minor)

    @property
    def to_account_credit(self) -> Money:
        """What the customer has for later."""
        return self._money(self.to_account_credit_minor)

    @property
    def refund(self) -> Money:
        """What goes back to the customer's account or card."""
        return self._money(self.refund_minor)


class CreditNoteLine(LineAmounts, TenantMixin, Base):
    """What a credit note takes off one line of the invoice."""

    __tablename__ = "credit_note_line"
    __table_args__ = (Index("ix_credit_note_line_credit_note_id", "credit_note_id"),)

    credit_note_id: Mapped[UUID] = mapped_column(
        ForeignKey("credit_note.id", name="fk_credit_note_line_credit_note_id")
    )
    invoice_line_id: Mapped[UUID]
    position: Mapped[int]
    description: Mapped[str]
    explain: Mapped[str | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    taxes: Mapped[list[Any]] = mapped_column(JSONB)
