"""What will be owed: memberships and fees, each with the day and instant on which a run is to invoice it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from common.money import Money
from invoicing.domain.periods import Anchor
from invoicing.domain.proration import Pause
from invoicing.models.metadata import Base


class Membership(TenantMixin, VersionMixin, Base):
    """A plan held by a member or company, with the terms it was made with.

    ``listed_taxes`` are the plan's parallel ones. ``billed_until`` is the first day not billed yet. ``issue_on`` is
    the planned date of its next invoice and ``run_at`` the instant at which a run makes it; both None when nothing is
    to come.
    """

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("end_date IS NULL OR end_date >= start_date - 1", name="dates"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("price_minor >= 0", name="price"),
        Index("ix_membership_run_at", "organization_id", "run_at", postgresql_where="run_at IS NOT NULL"),
        Index("ix_membership_organization_id_payer_id", "organization_id", "payer_id"),
        Index("ix_membership_member_id", "member_id"),
    )

    organization_id: Mapped[UUID] = mapped_column()  # the first column of other indexes
    plan_id: Mapped[UUID]
    plan_name: Mapped[str]
    payer_id: Mapped[UUID]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    is_personal: Mapped[bool] = mapped_column(default=False)
    location_id: Mapped[UUID | None]
    start_date: Mapped[date]
    end_date: Mapped[date | None]
    end_reason: Mapped[str | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    price_minor: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(default=Decimal(1))
    discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    interval: Mapped[str]
    interval_count: Mapped[int]
    anchor_date: Mapped[date]
    prorate: Mapped[bool]
    trial_days: Mapped[int] = mapped_column(default=0)
    setup_fee_minor: Mapped[int | None]
    deposit_minor: Mapped[int | None]
    minimum_term_months: Mapped[int] = mapped_column(default=0)
    notice_days: Mapped[int] = mapped_column(default=0)
    credits_hours: Mapped[Decimal] = mapped_column(default=Decimal(0))
    credits_carry_over_cap: Mapped[Decimal] = mapped_column(default=Decimal(0))
    passes: Mapped[int] = mapped_column(default=0)
    resource_discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    listed_taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    tax_percent: Mapped[Decimal | None]
    tax_category: Mapped[str | None]
    prices_include_tax: Mapped[bool | None]
    revenue_account: Mapped[str | None]
    pauses: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    billed_until: Mapped[date | None]
    earliest_issue: Mapped[date]
    issue_on: Mapped[date | None]
    run_at: Mapped[datetime | None]
    replaces_id: Mapped[UUID | None]
    promo_code_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        """Per period and unit."""
        return Money(self.price_minor, self.currency)

    @property
    def setup_fee(self) -> Money | None:
        """Once, with the first invoice."""
        return None if self.setup_fee_minor is None else Money(self.setup_fee_minor, self.currency)

    @property
    def deposit(self) -> Money | None:
        """Once, refundable."""
        return None if self.deposit_minor is None else Money(self.deposit_minor, self.currency)

    @property
    def next_invoice_on(self) -> date | None:
        """The planned date of the next invoice."""
        return self.issue_on

    @property
    def anchor(self) -> Anchor:
        """Where the periods are counted from (BIL-2)."""
        return Anchor(self.anchor_date, self.interval, self.interval_count)  # type: ignore[arg-type]

    @property
    def pause_list(self) -> tuple[Pause, ...]:
        """The pauses as the domain knows them: both days included."""
        return tuple(
            Pause(date.fromisoformat(p["from"]), date.fromisoformat(p["to"]) if p.get("to") else None)
            for p in self.pauses
        )


class Fee(TenantMixin, VersionMixin, Base):
    """A billable one-off item on a customer. ``amount_minor`` fixes the amount whatever the quantity and unit price.

    ``source``: manual, plan, booking, cancellation, late_fee, deposit or pause; ``source_id`` is the booking or
    invoice it came from, and ``part`` tells several fees of one source apart (the repeats of a late fee). ``taxes`` are
    the parallel ones given to this fee, ``listed_taxes`` those of its plan or of the booking's rate.
    """

    __tablename__ = "fee"
    __table_args__ = (
        CheckConstraint("status IN ('unbilled', 'invoiced', 'waived', 'removed', 'amended')", name="status"),
        Index("ix_fee_run_at", "organization_id", "run_at", postgresql_where="run_at IS NOT NULL"),
        Index("ix_fee_organization_id_payer_id", "organization_id", "payer_id"),
        Index("ix_fee_to_bill", "organization_id", "payer_id", postgresql_where="issue_on IS NOT NULL"),
        Index(
            "uq_fee_source_id_source_part",
            "source_id",
            "source",
            "part",
            unique=True,
            postgresql_where="source_id IS NOT NULL AND status IN ('unbilled', 'invoiced', 'waived')",
        ),
    )

    organization_id: Mapped[UUID] = mapped_column()  # the first column of other indexes
    payer_id: Mapped[UUID]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    is_personal: Mapped[bool] = mapped_column(default=False)
    location_id: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(default="manual")
    source_id: Mapped[UUID | None]
    part: Mapped[int] = mapped_column(default=0)
    plan_id: Mapped[UUID | None]
    name: Mapped[str]
    details: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    currency: Mapped[str] = mapped_column(CHAR(3))
    price_minor: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(default=Decimal(1))
    discount_percent: Mapped[Decimal] = mapped_column(default=Decimal(0))
    discount_minor: Mapped[int] = mapped_column(default=0)
    amount_minor: Mapped[int | None]
    taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    listed_taxes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    tax_percent: Mapped[Decimal | None]
    tax_category: Mapped[str | None]
    prices_include_tax: Mapped[bool | None]
    revenue_account: Mapped[str | None]
    dated: Mapped[date]
    created_on: Mapped[date]
    bill_in_advance: Mapped[bool] = mapped_column(default=False)
    is_refundable: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(default="unbilled")
    reason: Mapped[str | None]
    issue_on: Mapped[date | None]
    run_at: Mapped[datetime | None]
    invoice_id: Mapped[UUID | None]
    checkout_id: Mapped[UUID | None]
    promo_code_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        """Per unit."""
        return Money(self.price_minor, self.currency)

    @property
    def shown_taxes(self) -> list[Any] | None:
        """The parallel taxes that are named for it."""
        return self.taxes or self.listed_taxes


class PlanPurchase(TenantMixin, VersionMixin, Base):
    """A bought one-off plan that gives passes or credits; it goes with the fee that charges it.

    ``version`` counts what was announced; 0 while it awaits its payment. ``passes`` and ``credits_hours`` are per unit.
    """

    __tablename__ = "plan_purchase"
    __table_args__ = (
        CheckConstraint("status IN ('awaiting_payment', 'active', 'cancelled')", name="status"),
        UniqueConstraint("fee_id", name="uq_plan_purchase_fee_id"),
    )

    fee_id: Mapped[UUID]
    plan_id: Mapped[UUID]
    plan_name: Mapped[str]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    purchased_on: Mapped[date]
    quantity: Mapped[Decimal]
    passes: Mapped[int]
    credits_hours: Mapped[Decimal]
    valid_days: Mapped[int | None]
    status: Mapped[str]

    @property
    def expires_on(self) -> date | None:
        """The first day on which the allowance is no longer good; None: it stays."""
        return None if self.valid_days is None else self.purchased_on + timedelta(days=self.valid_days)
