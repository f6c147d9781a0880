"""What members subscribe to or buy once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CHAR, CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin
from common.money import Money


class Plan(TenantMixin, VersionMixin, Base):
    """A recurring plan (a membership) or a one-off one (a day pass, a service).

    ``allowance_valid_days``: for how many days from the purchase on a one-off plan's passes and credits are good.
    """

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("kind IN ('recurring', 'one_off')", name="kind"),
        CheckConstraint("(kind = 'recurring') = (interval IS NOT NULL)", name="interval"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    name: Mapped[str]
    description: Mapped[str | None]
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    price_minor: Mapped[int]
    interval: Mapped[str | None]
    interval_count: Mapped[int] = mapped_column(default=1)
    prorate: Mapped[bool] = mapped_column(default=True)
    setup_fee_minor: Mapped[int | None]
    deposit_minor: Mapped[int | None]
    trial_days: Mapped[int] = mapped_column(default=0)
    minimum_term_months: Mapped[int] = mapped_column(default=0)
    notice_days: Mapped[int] = mapped_column(default=0)
    credits_hours: Mapped[Decimal] = mapped_column(default=Decimal(0))
    credits_carry_over_cap: Mapped[Decimal] = mapped_column(default=Decimal(0))
    passes: Mapped[int] = mapped_column(default=0)
    allowance_valid_days: Mapped[int | None]
    resource_discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    tax_percent: Mapped[Decimal | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    tax_category: Mapped[str | None]
    prices_include_tax: Mapped[bool | None]
    revenue_account: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(default="public")
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        """What one interval, or the one purchase, costs."""
        return Money(self.price_minor, self.currency)

    @property
    def setup_fee(self) -> Money | None:
        """Charged once with the first period."""
        return self._optional(self.setup_fee_minor)

    @property
    def deposit(self) -> Money | None:
        """Held and given back."""
        return self._optional(self.deposit_minor)

    def _optional(self, amount_minor: int | None) -> Money | None:
        return None if amount_minor is None else Money(amount_minor, self.currency)
