"""Bookings, one row per occurrence, and what they keep others out of."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from booking.domain.cancellation import CancellationPolicy
from booking.domain.intervals import Interval
from booking.domain.price_snapshot import Price
from booking.domain.statuses import Lifecycle, Status
from booking.models.metadata import Base
from common.db import MoneyColumns, TenantMixin, VersionMixin


class BookingSeries(TenantMixin, VersionMixin, Base):
    """A recurring booking's rule; its occurrences are `Booking` rows (BOK-4)."""

    __tablename__ = "booking_series"

    rrule: Mapped[str]
    exdates: Mapped[list[Any]]
    timezone: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime]


# What lasts longer has an index of its own; see `booking.services.windows`.
LONG_BOOKING = "interval '24 hours'"
# What needs a person has one, too; see `booking.services.setup`.
FOR_STAFF = "status = 'tentative' OR cancel_reason = 'paid_too_late'"


class Booking(TenantMixin, VersionMixin, MoneyColumns, Base):
    """One occurrence. ``price`` is the snapshot (PRI-1); ``due_at`` is when time changes the status next (BOK-2).

    ``cancellation_policy`` is a snapshot, too: both are taken anew when time or resource change.
    """

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="end_after_start"),
        Index("ix_booking_organization_id_starts_at", "organization_id", "starts_at"),
        Index("ix_booking_resource_id_starts_at", "resource_id", "starts_at"),
        Index("ix_booking_member_id", "member_id"),
        Index("ix_booking_company_id", "company_id"),
        Index("ix_booking_series_id", "series_id", postgresql_where="series_id IS NOT NULL"),
        Index("ix_booking_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
        Index(
            "ix_booking_long",
            "organization_id",
            "starts_at",
            postgresql_where=f"ends_at - starts_at > {LONG_BOOKING}",
        ),
        Index("ix_booking_for_staff", "organization_id", "starts_at", postgresql_where=FOR_STAFF),
    )

    organization_id: Mapped[UUID] = mapped_column()
    series_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking_series.id"))
    number: Mapped[int] = mapped_column(default=1)
    resource_id: Mapped[UUID]
    resource_name: Mapped[str]
    location_id: Mapped[UUID]
    timezone: Mapped[str]
    unit_no: Mapped[int] = mapped_column(default=1)
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    is_personal: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    price_minor: Mapped[int]
    price: Mapped[dict[str, Any]]
    pricing: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cancellation_policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    credits_used: Mapped[Decimal] = mapped_column(default=Decimal(0))
    payment: Mapped[str] = mapped_column(default="on_invoice")
    hold_expires_at: Mapped[datetime | None]
    checkout_id: Mapped[UUID | None]
    check_in_within_minutes: Mapped[int | None]
    checked_in_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    cancellation_fee_minor: Mapped[int | None]
    note: Mapped[str | None]
    private_note: Mapped[str | None]
    extras: Mapped[list[Any]] = mapped_column(default=list)
    overridden: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]

    @property
    def interval(self) -> Interval:
        """``[start, end)`` without buffers."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def lifecycle(self) -> Lifecycle:
        """What the passing of time does to it."""
        within = self.check_in_within_minutes
        return Lifecycle(
            Status(self.status),
            self.interval,
            self.hold_expires_at,
            None if within is None else timedelta(minutes=within),
        )

    @property
    def snapshot(self) -> Price:
        """The price as it was agreed."""
        known: tuple[dict[str, Any], Price] | None = vars(self).get("_agreed")
        if known is None or known[0] is not self.price:
            known = vars(self)["_agreed"] = (self.price, Price.from_document(self.price))
        return known[1]

    def agree_on(self, price: Price) -> None:
        """Keep a price as the snapshot."""
        self.price = price.as_document()
        self.currency, self.price_minor = price.total.currency, price.total.amount_minor
        self.credits_used = price.credits_used
        vars(self)["_agreed"] = (self.price, price)

    @property
    def cancellation(self) -> CancellationPolicy:
        """The cancellation policy as it was when time and resource were agreed (BOK-5)."""
        return CancellationPolicy.from_document(self.cancellation_policy)

    def set_status(self, status: Status) -> None:
        """Take on a status that `Lifecycle.moved_to` allowed, and plan what time does next."""
        self.status = status
        if status is not Status.HELD:
            self.hold_expires_at = None
        self.due_at = self.lifecycle.due_at()


class Occupancy(Base):
    """Units of a resource taken for a while: the constraint is what makes double booking impossible (BOK-1).

    ``units`` are numbers ``resource.number * 2**20 + unit``; ``during`` has the buffers in it. From ``lapses_at`` on
    the row counts no more, and whoever wants its time may delete it (BOK-2: expiry counts at read time).

    There is no organisation here and no row-level security: range operators are not leakproof, so PostgreSQL would look
    at every row of the table before it asked the index. Numbers of units belong to one organisation anyway.
    """

    __tablename__ = "occupancy"
    __table_args__ = (ExcludeConstraint(("units", "&&"), ("during", "&&"), name="ex_occupancy_taken", using="gist"),)

    booking_id: Mapped[UUID] = mapped_column(
        ForeignKey("booking.id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    units: Mapped[Range[int]] = mapped_column(INT8RANGE, primary_key=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    lapses_at: Mapped[datetime | None]
