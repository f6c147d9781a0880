"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from booking.models import Booking
from common.money import Money
from contracts.booking import BookingState
from contracts.parts import ChargeLine, ParallelTax

S = TypeVar("S", bound=BookingState)


def booking_state(kind: type[S], booking: Booking) -> S:
    """The whole public state of a booking as a message of ``kind``."""
    price = booking.snapshot
    fee = booking.cancellation_fee_minor
    return kind(
        booking_id=booking.id,
        series_id=booking.series_id,
        status=booking.status,
        resource_id=booking.resource_id,
        resource_name=booking.resource_name,
        location_id=booking.location_id,
        timezone=booking.timezone,
        member_id=booking.member_id,
        company_id=booking.company_id,
        is_personal=booking.is_personal,
        start=booking.starts_at,
        end=booking.ends_at,
        price=price.total,
        lines=[
            ChargeLine(description=line.description, quantity=line.quantity, unit_price=line.unit_price, net=line.net)
            for line in price.lines
        ],
        tax_percent=price.tax_percent,
        taxes=msgspec.convert(price.taxes, list[ParallelTax]),
        prices_include_tax=price.prices_include_tax,
        revenue_account=price.revenue_account,
        payment=booking.payment,
        hold_expires_at=booking.hold_expires_at,
        checkout_id=booking.checkout_id,
        credits_used=price.credits_used,
        promo_code=price.promo_code,
        cancellation_fee=None if fee is None else Money(fee, booking.currency),
        paid_too_late=booking.cancel_reason == "paid_too_late",
        note=booking.note,
        version=booking.version,
    )
