"""What was known of bookings and memberships, so that a mail is written for a real change only."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from notifications.models.metadata import Base


class BookingCopy(TenantMixin, Base):
    """The newest status of a booking, and every set of facts (time, room, price) its people were told of."""

    __tablename__ = "booking_copy"

    status: Mapped[str]
    facts: Mapped[list[Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)


class MembershipCopy(TenantMixin, Base):
    """The newest state of a membership beside the first end date it was known with."""

    __tablename__ = "membership_copy"

    status: Mapped[str]
    end_date: Mapped[date | None]
    first_end_date: Mapped[date | None]
    first_version: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
