"""Private calendar feeds (BOK-6)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin


class CalendarFeed(TenantMixin, Base):
    """The address of a member's or a resource's calendar; only a digest of its secret is kept."""

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("secret_digest"),)

    member_id: Mapped[UUID | None] = mapped_column(index=True)
    resource_id: Mapped[UUID | None] = mapped_column(index=True)
    secret_digest: Mapped[str]
    created_at: Mapped[datetime]
