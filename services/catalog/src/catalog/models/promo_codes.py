"""Codes that make things cheaper."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin
from common.money import Money


class PromoCode(TenantMixin, VersionMixin, Base):
    """A promo code (GH-3). ``code`` is kept in capitals, so that unique means unique in any case."""

    __tablename__ = "promo_code"
    __table_args__ = (
        Index(
            "uq_promo_code_organization_id_code",
            "organization_id",
            "code",
            unique=True,
            postgresql_where="archived_at IS NULL",
        ),
        CheckConstraint("(percent IS NULL) <> (amount_minor IS NULL)", name="percent_xor_amount"),
    )

    code: Mapped[str]
    percent: Mapped[Decimal | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    max_uses: Mapped[int | None]
    max_uses_per_customer: Mapped[int | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money | None:
        """What is taken off, when it is no percentage."""
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)
