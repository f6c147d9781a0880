"""How an organisation bills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.domain.dunning import DEFAULT_REMINDERS, LateFeePolicy
from invoicing.domain.grouping import Grouping
from invoicing.models.metadata import Base


class BillingSettings(TenantMixin, VersionMixin, Base):
    """The one row of an organisation's billing settings; made with its defaults when first needed."""

    __tablename__ = "billing_settings"
    __table_args__ = (
        UniqueConstraint("organization_id", name="uq_billing_settings_organization_id"),
        CheckConstraint("generate_days_before BETWEEN 0 AND 60", name="generate_days_before"),
        CheckConstraint("payment_terms_days BETWEEN 0 AND 365", name="payment_terms_days"),
    )

    automatic_generation: Mapped[bool] = mapped_column(default=False)
    automatic_sending: Mapped[bool] = mapped_column(default=False)
    automatic_collection: Mapped[bool] = mapped_column(default=False)
    pay_now: Mapped[bool] = mapped_column(default=True)
    member_changes: Mapped[list[Any]] = mapped_column(JSONB, default=lambda: ["plan_change", "end"])
    period_start: Mapped[str] = mapped_column(default="first_of_month")
    generate_days_before: Mapped[int] = mapped_column(default=0)
    payment_terms_days: Mapped[int] = mapped_column(default=14)
    tax_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    tax_overrides: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    prices_include_tax: Mapped[bool] = mapped_column(default=False)
    number_template: Mapped[str] = mapped_column(default="INV-{year}-{number:05}")
    credit_note_number_template: Mapped[str] = mapped_column(default="CN-{year}-{number:05}")
    retry_days: Mapped[list[Any]] = mapped_column(JSONB, default=lambda: [1, 3, 5, 7])
    reminders: Mapped[list[Any]] = mapped_column(JSONB, default=lambda: list(DEFAULT_REMINDERS))
    block_bookings_after_days: Mapped[int | None] = mapped_column(default=14)
    end_memberships_after_days: Mapped[int | None]
    lock_date: Mapped[date | None]
    charge_hour: Mapped[int] = mapped_column(default=9)
    invoice_per: Mapped[str] = mapped_column(default="customer")
    location_by: Mapped[str] = mapped_column(default="home")
    late_fee_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    late_fee_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(CHAR(3))
    late_fee_grace_days: Mapped[int] = mapped_column(default=7)
    late_fee_repeat_days: Mapped[int] = mapped_column(default=0)
    payment_instructions: Mapped[str | None]
    invoice_footer: Mapped[str | None]

    @property
    def grouping(self) -> Grouping:
        """Which items share an invoice (BIL-5)."""
        return Grouping(self.invoice_per, self.location_by)  # type: ignore[arg-type]

    @property
    def late_fee(self) -> Money:
        """The fixed part of a late fee."""
        return Money(self.late_fee_minor, self.currency)

    @property
    def late_fee_policy(self) -> LateFeePolicy | None:
        """What an overdue invoice earns (PAY-8); None when nothing."""
        if not self.late_fee_percent and not self.late_fee_minor:
            return None
        return LateFeePolicy(self.late_fee_percent, self.late_fee, self.late_fee_grace_days, self.late_fee_repeat_days)
