"""Where money is taken: connected accounts, customers known there, saved methods."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from payments.models.invoices import Customer
from payments.models.metadata import Base


class Gateway(TenantMixin, VersionMixin, Base):
    """A connected account at a provider. ``credentials`` are encrypted and leave only towards the provider (PAY-6)."""

    __tablename__ = "payment_gateway"
    __table_args__ = (
        UniqueConstraint("organization_id", "request_key", name="uq_payment_gateway_request_key"),
        CheckConstraint("state IN ('connected', 'disconnected')", name="state"),
    )

    provider: Mapped[str]
    label: Mapped[str]
    location_id: Mapped[UUID | None]
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    has_webhook_secret: Mapped[bool] = mapped_column(default=False)
    methods: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    is_live: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="connected")
    request_key: Mapped[str | None]
    created_at: Mapped[datetime]
    disconnected_at: Mapped[datetime | None]


class CustomerReference(TenantMixin, Base):
    """The name under which a provider knows a member or company."""

    __tablename__ = "customer_reference"
    __table_args__ = (UniqueConstraint("gateway_id", "owner_id", name="uq_customer_reference_gateway_id_owner_id"),)

    gateway_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    reference: Mapped[str]
    created_at: Mapped[datetime]


class PaymentMethod(TenantMixin, VersionMixin, Base):
    """A card or account that a member or company pays with; the provider keeps it, we keep its name (PAY-10).

    ``state``: pending (the member is entering it), active, failed (its setup), removed, disconnected (its gateway),
    single_use (a guest's: for Pay Now alone).
    ``since``: when it was saved or became the default, by the organisation's clock (PAY-2). ``forget_at``: when the
    provider is to forget it, because its owner was erased.
    """

    __tablename__ = "payment_method"
    __table_args__ = (
        Index("ix_payment_method_owner_id", "owner_id"),
        Index(
            "uq_payment_method_default",
            "organization_id",
            "owner_id",
            unique=True,
            postgresql_where="is_default",
        ),
        Index("uq_payment_method_request_key", "organization_id", "request_key", unique=True),
        Index("ix_payment_method_gateway_id_reference", "gateway_id", "reference"),
        Index("ix_payment_method_announce_at", "announce_at", postgresql_where="announce_at IS NOT NULL"),
        Index("ix_payment_method_forget_at", "forget_at", postgresql_where="forget_at IS NOT NULL"),
        CheckConstraint("num_nonnulls(member_id, company_id) = 1", name="one_owner"),
    )

    gateway_id: Mapped[UUID]
    provider: Mapped[str]
    owner_id: Mapped[UUID]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    customer_reference: Mapped[str]
    reference: Mapped[str | None]
    setup_reference: Mapped[str | None]
    kind: Mapped[str]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    exp_month: Mapped[int | None]
    exp_year: Mapped[int | None]
    expires_on: Mapped[date | None]
    announced: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    announce_at: Mapped[datetime | None]
    forget_at: Mapped[datetime | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    wants_default: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str]
    failure_code: Mapped[str | None]
    request_key: Mapped[str | None]
    since: Mapped[datetime]
    created_at: Mapped[datetime]
    owner: Mapped[Customer | None] = relationship(
        primaryjoin=lambda: Customer.id == foreign(PaymentMethod.owner_id),
        viewonly=True,
    )

    @property
    def customer_name(self) -> str | None:
        """The owner's name, as far as their copy has arrived."""
        return self.owner.name if self.owner else None
