"""What is to be paid: copies of invoices, and the plan to charge each (Collection)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from common.money import Money
from payments.models.metadata import Base

# A paid invoice that is to be paid again was reopened by invoicing first.
_CLOSED = frozenset({"draft", "void", "paid"})


class Invoice(TenantMixin, Base):
    """Copy of an issued invoice: its payable parts. Locked first in every transaction that moves its money.

    ``kept_minor`` is what its payments brought in and still hold: our own sum, since what is ``paid`` is ours to say.
    ``noted_minor``: given back with a credit note that invoicing has not yet counted in ``credited``.
    """

    __tablename__ = "invoice"
    __table_args__ = (Index("ix_invoice_payer_id", "organization_id", "payer_id"),)

    number: Mapped[str]
    state: Mapped[str]
    customer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    payer_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    issue_date: Mapped[date]
    due_date: Mapped[date]
    timezone: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    total_minor: Mapped[int]
    credited_minor: Mapped[int]
    kept_minor: Mapped[int] = mapped_column(default=0)
    noted_minor: Mapped[int] = mapped_column(default=0)
    collect: Mapped[bool]
    collect_now: Mapped[bool]
    booking_ids: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    checkout_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    version: Mapped[int]

    @property
    def payable(self) -> Money:
        """What is still to be paid, counting what invoicing has not heard of yet; never negative (PAY-4)."""
        if self.state in _CLOSED:
            return Money.zero(self.currency)
        left = self.total_minor - self.credited_minor - self.noted_minor - self.kept_minor
        return Money(max(left, 0), self.currency)


class Collection(TenantMixin, Base):
    """The plan to charge an invoice, whose id it bears: what will be charged when, and why not (PAY-1, PAY-2)."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("ix_collection_next_attempt_at", "next_attempt_at", postgresql_where="next_attempt_at IS NOT NULL"),
    )

    due_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    state: Mapped[str]
    stopped: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_failure_code: Mapped[str | None]


class Customer(TenantMixin, Base):
    """Copy of a member or company (``kind``): whom to charge, and whether that may happen automatically."""

    __tablename__ = "customer"

    kind: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    language: Mapped[str | None]
    company_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    auto_collect: Mapped[bool]
    status: Mapped[str]
    version: Mapped[int]


class Location(TenantMixin, Base):
    """Copy of a location: its zone."""

    __tablename__ = "location"

    name: Mapped[str]
    timezone: Mapped[str]
    version: Mapped[int]


class BillingSettings(TenantMixin, Base):
    """Copy of the billing settings, as far as collection needs them; its id is the organisation's."""

    __tablename__ = "billing_settings"

    automatic_collection: Mapped[bool]
    pay_now: Mapped[bool]
    retry_days: Mapped[list[Any]] = mapped_column(JSONB)
    charge_hour: Mapped[int]
    version: Mapped[int]
