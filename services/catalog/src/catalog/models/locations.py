"""Where things are: a location with its zone and opening hours."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class Location(TenantMixin, VersionMixin, Base):
    """A place that members come to."""

    __tablename__ = "location"
    __table_args__ = (
        Index(
            "uq_location_organization_id_code",
            "organization_id",
            "code",
            unique=True,
            postgresql_where="archived_at IS NULL",
        ),
    )

    name: Mapped[str]
    code: Mapped[str | None]
    timezone: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    opening_hours: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    closures: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    tax_percent: Mapped[Decimal | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
