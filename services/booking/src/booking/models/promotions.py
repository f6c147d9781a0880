"""Uses of promo codes by bookings (GH-3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from booking.models.metadata import Base
from common.db import TenantMixin


class PromoRedemption(TenantMixin, Base):
    """A booking whose price has a promo code's discount in it; counted under a lock on the code.

    All dates of a series are one use: they share ``used_for_id``. From ``lapses_at`` on (end of a hold, start of an
    unanswered request) the row counts no more, and whoever wants to use the code may delete it.
    """

    __tablename__ = "promo_redemption"
    __table_args__ = (Index("ix_promo_redemption_promo_code_id", "promo_code_id"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), unique=True)
    promo_code_id: Mapped[UUID]
    payer_id: Mapped[UUID]
    used_for_id: Mapped[UUID]
    lapses_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
