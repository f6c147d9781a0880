"""What can be booked, and its pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class Resource(TenantMixin, VersionMixin, Base):
    """A room, a desk, an area of desks or anything else that is booked; ``capacity`` is how many at a time."""

    __tablename__ = "resource"
    __table_args__ = (CheckConstraint("capacity >= 1", name="capacity"),)

    name: Mapped[str]
    description: Mapped[str | None]
    type: Mapped[str]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"), index=True)
    capacity: Mapped[int] = mapped_column(default=1)
    seats: Mapped[int | None]
    parent_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    amenities: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    visibility: Mapped[str] = mapped_column(default="members")
    plan_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    is_free: Mapped[bool] = mapped_column(default=False)
    published: Mapped[bool] = mapped_column(default=True)
    booking_policy: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    cancellation_policy: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ResourcePicture(TenantMixin, Base):
    """A picture in three sizes, each encoded anew as WebP; the bytes are loaded only when asked for."""

    __tablename__ = "resource_picture"

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id"), index=True)
    position: Mapped[int]
    alt: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    small: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    medium: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    large: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]
