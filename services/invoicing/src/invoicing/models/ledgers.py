"""Money held for customers: account credit and deposits."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.models.metadata import Base


class AccountCredit(TenantMixin, Base):
    """Money held for a customer; applied oldest first at the next issue (PAY-4).

    ``source``: overpayment (of an invoice), credit_note, deposit, or refund_failed (money for a void invoice that did
    not get back to the customer); at most one row per source. One of ``to_refund`` has nothing left: it remembers what
    payments was asked to give back.
    """

    __tablename__ = "account_credit"
    __table_args__ = (
        CheckConstraint("left_minor >= 0 AND left_minor <= amount_minor", name="left"),
        UniqueConstraint("source", "source_id", name="uq_account_credit_source_source_id"),
        Index("ix_account_credit_payer_id", "payer_id", postgresql_where="left_minor > 0"),
    )

    payer_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    left_minor: Mapped[int]
    source: Mapped[str]
    source_id: Mapped[UUID]
    dated: Mapped[date]
    created_at: Mapped[datetime]


class CreditAllocation(TenantMixin, Base):
    """A part of a credit note or account credit that was laid on an invoice; exactly one source is set."""

    __tablename__ = "credit_allocation"
    __table_args__ = (
        CheckConstraint("(credit_note_id IS NULL) <> (account_credit_id IS NULL)", name="one_source"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_credit_allocation_invoice_id", "invoice_id"),
    )

    invoice_id: Mapped[UUID]
    credit_note_id: Mapped[UUID | None]
    account_credit_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    created_at: Mapped[datetime]


class Deposit(TenantMixin, VersionMixin, Base):
    """A refundable deposit: what is held now, as the sum of its entries."""

    __tablename__ = "deposit"
    __table_args__ = (
        CheckConstraint("held_minor >= 0", name="held"),
        UniqueConstraint("invoice_line_id", name="uq_deposit_invoice_line_id"),
        Index("ix_deposit_payer_id", "payer_id"),
    )

    payer_id: Mapped[UUID]
    invoice_id: Mapped[UUID]
    invoice_line_id: Mapped[UUID]
    membership_id: Mapped[UUID | None]
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    held_minor: Mapped[int]
    state: Mapped[str]
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        """What was asked for."""
        return Money(self.amount_minor, self.currency)

    @property
    def held(self) -> Money:
        """What is held now."""
        return Money(self.held_minor, self.currency)


class DepositEntry(TenantMixin, Base):
    """A movement: held (positive), returned, applied or forfeited, credited by a credit note, unpaid (negative)."""

    __tablename__ = "deposit_entry"
    __table_args__ = (Index("ix_deposit_entry_deposit_id", "deposit_id"),)

    deposit_id: Mapped[UUID]
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    dated: Mapped[date]
    note: Mapped[str | None]
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        """What came (positive) or went."""
        return Money(self.amount_minor, self.currency)
