"""Copies of what is on sale. The catalog owns it; here is its newest state as its messages told it (`state`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class Location(TenantMixin, VersionMixin, Base):
    """A location: its zone, opening hours and closures."""

    __tablename__ = "location"

    name: Mapped[str]
    timezone: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)
    state: Mapped[dict[str, Any]]


class Resource(TenantMixin, VersionMixin, Base):
    """What can be booked. ``number`` stands for the resource in `Occupancy.units`; the database gives it out."""

    __tablename__ = "resource"
    # Row-level security keeps PostgreSQL from searching in arrays by an index; the few linked resources have their own.
    __table_args__ = (Index("ix_resource_linked", "organization_id", postgresql_where="parent_ids <> '{}'"),)

    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    name: Mapped[str]
    type: Mapped[str]
    location_id: Mapped[UUID] = mapped_column(index=True)
    capacity: Mapped[int]
    parent_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    visibility: Mapped[str]
    is_free: Mapped[bool]
    published: Mapped[bool]
    archived: Mapped[bool]
    state: Mapped[dict[str, Any]]


class ResourceRate(TenantMixin, VersionMixin, Base):
    """What booking costs; ``state`` is read by `booking.domain.rates.Rate.from_document`."""

    __tablename__ = "resource_rate"

    resource_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    resource_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    archived: Mapped[bool]
    state: Mapped[dict[str, Any]]


class Plan(TenantMixin, VersionMixin, Base):
    """A plan, for its passes and credits."""

    __tablename__ = "plan"

    name: Mapped[str]
    kind: Mapped[str]
    archived: Mapped[bool]
    state: Mapped[dict[str, Any]]


class PromoCode(TenantMixin, VersionMixin, Base):
    """A promo code, in capitals."""

    __tablename__ = "promo_code"
    __table_args__ = (Index("ix_promo_code_organization_id_code", "organization_id", "code"),)

    code: Mapped[str]
    archived: Mapped[bool]
    state: Mapped[dict[str, Any]]
