"""What `booking` tells the others: when things are used, and what that costs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from common.messaging.message import Message
from common.money import Money
from contracts.parts import ChargeLine, ParallelTax


class BookingState(Message, frozen=True, kw_only=True):
    """The whole public state of one booking (one occurrence); ``price`` is what it costs by its price snapshot.

    ``taxes`` are the parallel ones of its rate, and ``tax_percent`` their sum. ``promo_code`` names the code whose
    discount is in the price. ``cancellation_fee`` is set once it is cancelled. ``payment`` is ``on_invoice`` or
    ``now``. ``paid_too_late``: it was paid after its hold had expired, and its time is somebody else's: the money is
    to go back.
    """

    service: ClassVar[str] = "booking"

    booking_id: UUID
    series_id: UUID | None = None
    status: str
    resource_id: UUID
    resource_name: str
    location_id: UUID
    timezone: str
    member_id: UUID | None = None
    company_id: UUID | None = None
    is_personal: bool = False
    start: datetime
    end: datetime
    price: Money
    lines: list[ChargeLine] = []
    tax_percent: Decimal | None = None
    taxes: list[ParallelTax] = []
    prices_include_tax: bool | None = None
    revenue_account: str | None = None
    payment: str = "on_invoice"
    hold_expires_at: datetime | None = None
    checkout_id: UUID | None = None
    credits_used: Decimal = Decimal(0)
    promo_code: str | None = None
    cancellation_fee: Money | None = None
    paid_too_late: bool = False
    note: str | None = None
    version: int


class BookingCreated(BookingState, frozen=True, kw_only=True):
    """A booking was made."""

    name: ClassVar[str] = "booking-created"


class BookingChanged(BookingState, frozen=True, kw_only=True):
    """A booking was moved, re-priced or checked in."""

    name: ClassVar[str] = "booking-changed"


class BookingConfirmed(BookingState, frozen=True, kw_only=True):
    """A held or tentative booking became confirmed."""

    name: ClassVar[str] = "booking-confirmed"


class BookingCancelled(BookingState, frozen=True, kw_only=True):
    """A booking was cancelled, rejected, expired or not turned up for; ``status`` says which."""

    name: ClassVar[str] = "booking-cancelled"


class BookingCompleted(BookingState, frozen=True, kw_only=True):
    """A booking ended as planned."""

    name: ClassVar[str] = "booking-completed"


class PassUsed(Message, frozen=True, kw_only=True):
    """A day pass was used by the first check-in of a day (PAS-1)."""

    service: ClassVar[str] = "booking"
    name: ClassVar[str] = "pass-used"
    pass_id: UUID
    member_id: UUID
    company_id: UUID | None = None
    location_id: UUID
    day: date
    remaining: int
    version: int
