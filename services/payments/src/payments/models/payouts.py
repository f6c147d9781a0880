"""What providers say they paid out to the organisation's bank account."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from common.money import Money
from payments.models.metadata import Base


class PayoutFeed(TenantMixin, Base):
    """When to ask a gateway, whose id it bears, for its payouts.

    ``due_at`` is the organisation's clock (None: the gateway is disconnected), ``rest_until`` real time: a rehearsal's
    clock may run through a month in a minute. ``since``: payouts made before are known for good. ``failure_code``: why
    the last turn came to nothing.
    """

    __tablename__ = "payout_feed"
    __table_args__ = (Index("ix_payout_feed_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),)

    due_at: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    since: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    failure_code: Mapped[str | None]


class Payout(TenantMixin, Base):
    """One transfer to the bank account, and the sums of what it is made of (negative: money that left)."""

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("gateway_id", "provider_reference", name="uq_payout_gateway_id_provider_reference"),
        Index("ix_payout_organization_id_arrives_on", "organization_id", "arrives_on"),
        CheckConstraint("state IN ('on_the_way', 'paid', 'failed')", name="state"),
    )

    gateway_id: Mapped[UUID]
    provider_reference: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    state: Mapped[str]
    arrives_on: Mapped[date]
    made_at: Mapped[datetime]
    itemised: Mapped[bool]
    complete: Mapped[bool]
    charged_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    disputed_minor: Mapped[int] = mapped_column(default=0)
    fees_minor: Mapped[int] = mapped_column(default=0)
    other_minor: Mapped[int] = mapped_column(default=0)

    @property
    def amount(self) -> Money:
        """What went to the bank account."""
        return Money(self.amount_minor, self.currency)

    @property
    def charged(self) -> Money:
        """Charges, less those that were returned."""
        return Money(self.charged_minor, self.currency)

    @property
    def refunded(self) -> Money:
        """Refunds, less those that came back: zero or negative as a rule."""
        return Money(self.refunded_minor, self.currency)

    @property
    def disputed(self) -> Money:
        """Chargebacks, less those that were won."""
        return Money(self.disputed_minor, self.currency)

    @property
    def fees(self) -> Money:
        """What the provider kept; positive."""
        return Money(self.fees_minor, self.currency)

    @property
    def other(self) -> Money:
        """Reserves, transfers and the like."""
        return Money(self.other_minor, self.currency)

    @property
    def explained(self) -> Money:
        """What the payout's parts come to."""
        return self.charged + self.refunded + self.disputed + self.other - self.fees


class PayoutItem(TenantMixin, Base):
    """A part of a payout; see `payments.gateways.payouts.PayoutItem`."""

    __tablename__ = "payout_item"
    __table_args__ = (
        Index("ix_payout_item_payout_id", "payout_id"),
        Index("ix_payout_item_gateway_id_charge_reference", "gateway_id", "charge_reference"),
    )

    payout_id: Mapped[UUID]
    gateway_id: Mapped[UUID]
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    paid_currency: Mapped[str | None] = mapped_column(CHAR(3))
    paid_minor: Mapped[int | None]
    charge_reference: Mapped[str | None]
    refund_reference: Mapped[str | None]
    provider_reference: Mapped[str | None]

    @property
    def amount(self) -> Money:
        """What it added to the account at the provider, before the fee."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What the provider kept of it."""
        return Money(self.fee_minor, self.currency)
