"""Telling the others what became of a booking."""

from __future__ import annotations

from booking.messages.publishes import booking_state
from booking.models import Booking
from common.db import TenantSession
from common.messaging import outbox
from contracts.booking import BookingState


def announce(session: TenantSession, kind: type[BookingState], booking: Booking) -> None:
    """Put the booking's state into the outbox; call it after the change, with the row locked or new."""
    outbox.add(session, booking_state(kind, booking), aggregate_id=booking.id, aggregate_version=booking.version)
