"""What was known of bookings, memberships and standings, so that a mail is written for a real change only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from notifications.models.metadata import Base


class BookingCopy(TenantMixin, Base):
    """The newest state of a booking, and every set of facts (time, room, price) its people were told of.

    ``remind_at`` (the organisation's time) is set while a reminder is to come.
    """

    __tablename__ = "booking_copy"
    __table_args__ = (
        Index(
            "ix_booking_copy_remind_at", "organization_id", "remind_at", postgresql_where=text("remind_at IS NOT NULL")
        ),
    )

    status: Mapped[str]
    facts: Mapped[list[Any]] = mapped_column(JSONB)
    starts_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    state: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    version: Mapped[int] = mapped_column(BigInteger)


class MembershipCopy(TenantMixin, Base):
    """The newest state of a membership beside the first end date it was known with."""

    __tablename__ = "membership_copy"

    status: Mapped[str]
    end_date: Mapped[date | None]
    first_end_date: Mapped[date | None]
    first_version: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)


class StandingCopy(TenantMixin, Base):
    """The newest standing of a customer (a member or a company), and the version whose block they were told of.

    ``told_version`` is 0 before the first time.
    """

    __tablename__ = "standing_copy"

    bookings_blocked: Mapped[bool]
    overdue_since: Mapped[date | None]
    told_version: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
