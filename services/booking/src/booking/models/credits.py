"""Credits: grants and the ledger of what became of them (CRD-1)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin


class CreditGrant(TenantMixin, Base):
    """Hours of a member or a company. The three sums repeat the ledger's, so that the database can refuse a debt.

    ``source`` is membership, carry_over, one_off or staff; ``due_at`` is when it expires.
    """

    __tablename__ = "credit_grant"
    __table_args__ = (
        UniqueConstraint("membership_id", "valid_from", "source"),
        CheckConstraint("hours - reserved - consumed - expired >= 0", name="not_below_zero"),
        CheckConstraint("reserved >= 0 AND consumed >= 0 AND expired >= 0", name="sums"),
        Index("ix_credit_grant_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    member_id: Mapped[UUID | None] = mapped_column(index=True)
    company_id: Mapped[UUID | None] = mapped_column(index=True)
    membership_id: Mapped[UUID | None]
    purchase_id: Mapped[UUID | None] = mapped_column(unique=True)
    source: Mapped[str]
    hours: Mapped[Decimal]
    reserved: Mapped[Decimal] = mapped_column(default=Decimal(0))
    consumed: Mapped[Decimal] = mapped_column(default=Decimal(0))
    expired: Mapped[Decimal] = mapped_column(default=Decimal(0))
    valid_from: Mapped[date]
    expires_on: Mapped[date | None]
    scope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def available(self) -> Decimal:
        """Hours that can still be booked with."""
        return self.hours - self.reserved - self.consumed - self.expired


class CreditEntry(TenantMixin, Base):
    """One line of the ledger; lines are only ever added."""

    __tablename__ = "credit_entry"
    __table_args__ = (CheckConstraint("hours > 0", name="hours"),)

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("credit_grant.id"), index=True)
    kind: Mapped[str]
    hours: Mapped[Decimal]
    booking_id: Mapped[UUID | None] = mapped_column(index=True)
    at: Mapped[datetime]
