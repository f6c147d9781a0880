"""Day passes and check-ins (PAS-1)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class DayPass(TenantMixin, VersionMixin, Base):
    """Days that a member, or anybody of a company, may come; valid in ``[valid_from, expires_on)``."""

    __tablename__ = "day_pass"
    __table_args__ = (
        UniqueConstraint("membership_id", "valid_from"),
        CheckConstraint("remaining >= 0 AND remaining <= days", name="remaining"),
    )

    member_id: Mapped[UUID | None] = mapped_column(index=True)
    company_id: Mapped[UUID | None] = mapped_column(index=True)
    membership_id: Mapped[UUID | None]
    purchase_id: Mapped[UUID | None] = mapped_column(unique=True)
    source: Mapped[str]
    days: Mapped[int]
    remaining: Mapped[int]
    valid_from: Mapped[date]
    expires_on: Mapped[date | None]
    location_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    note: Mapped[str | None]
    created_at: Mapped[datetime]


class PassUse(TenantMixin, Base):
    """A day taken from a pass: one per member, location and day, whatever the number of visits."""

    __tablename__ = "pass_use"
    __table_args__ = (UniqueConstraint("organization_id", "member_id", "location_id", "day"),)

    pass_id: Mapped[UUID] = mapped_column(ForeignKey("day_pass.id"), index=True)
    member_id: Mapped[UUID]
    location_id: Mapped[UUID]
    day: Mapped[date]


class CheckIn(TenantMixin, VersionMixin, Base):
    """A visit. ``due_at`` is the local midnight that ends it when the check-out is forgotten; one open per member."""

    __tablename__ = "check_in"
    __table_args__ = (
        Index(
            "uq_check_in_open",
            "organization_id",
            "member_id",
            unique=True,
            postgresql_where="checked_out_at IS NULL",
        ),
        Index("ix_check_in_organization_id_checked_in_at", "organization_id", "checked_in_at"),
        Index("ix_check_in_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    member_id: Mapped[UUID] = mapped_column(index=True)
    location_id: Mapped[UUID]
    booking_id: Mapped[UUID | None]
    pass_id: Mapped[UUID | None]
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime | None]
    closed_by_system: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
