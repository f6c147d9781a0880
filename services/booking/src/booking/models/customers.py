"""Copies of who books and on what terms: members and companies, their standing, what they hold, billing settings."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class Customer(TenantMixin, VersionMixin, Base):
    """A member or a company (``kind``)."""

    __tablename__ = "customer"

    kind: Mapped[str]
    name: Mapped[str]
    company_id: Mapped[UUID | None]
    status: Mapped[str]
    state: Mapped[dict[str, Any]]


class CustomerStanding(TenantMixin, VersionMixin, Base):
    """Whether a customer (``id``) owes so long that new bookings are blocked (PAY-8)."""

    __tablename__ = "customer_standing"

    bookings_blocked: Mapped[bool]


class Membership(TenantMixin, VersionMixin, Base):
    """A plan held by a member or company. ``end_date`` is the last day; ``grant_due_at`` the next monthly grant."""

    __tablename__ = "membership"
    __table_args__ = (Index("ix_membership_grant_due_at", "grant_due_at", postgresql_where="grant_due_at IS NOT NULL"),)

    plan_id: Mapped[UUID]
    member_id: Mapped[UUID | None] = mapped_column(index=True)
    company_id: Mapped[UUID | None] = mapped_column(index=True)
    location_id: Mapped[UUID | None]
    start_date: Mapped[date]
    end_date: Mapped[date | None]
    status: Mapped[str]
    discount_percent: Mapped[Decimal]
    state: Mapped[dict[str, Any]]
    grant_due_at: Mapped[datetime | None]


class PlanPurchase(TenantMixin, VersionMixin, Base):
    """A one-off plan that was bought, for the passes and credits it gives; ``status`` is active or cancelled."""

    __tablename__ = "plan_purchase"

    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    status: Mapped[str]
    state: Mapped[dict[str, Any]]


class BillingSettings(TenantMixin, VersionMixin, Base):
    """The organisation's billing settings; ``id`` is the organisation's."""

    __tablename__ = "billing_settings"

    state: Mapped[dict[str, Any]]
