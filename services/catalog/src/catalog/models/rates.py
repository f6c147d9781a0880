"""What booking a resource costs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CHAR, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class ResourceRate(TenantMixin, VersionMixin, Base):
    """Prices per unit of time for some resources or types of resources.

    ``open_to_public``, ``for_public``, ``for_members`` and ``valid_until`` repeat what ``prices`` and ``conditions``
    say, so that the database can tell which resources have a price (`catalog.domain.rates.Reach`).
    """

    __tablename__ = "resource_rate"

    name: Mapped[str]
    resource_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    resource_types: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    prices: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    charge_slot_minutes: Mapped[int] = mapped_column(default=15)
    extras: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    currency: Mapped[str] = mapped_column(CHAR(3))
    tax_percent: Mapped[Decimal | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    prices_include_tax: Mapped[bool | None]
    revenue_account: Mapped[str | None]
    open_to_public: Mapped[bool]
    for_public: Mapped[bool]
    for_members: Mapped[bool]
    valid_until: Mapped[date | None]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
