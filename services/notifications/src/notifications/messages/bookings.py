"""Bookings."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.booking import BookingCancelled, BookingChanged, BookingCompleted, BookingConfirmed, BookingCreated
from notifications.services import bookings


def register(registry: Handlers) -> None:
    """Listen to what is booked."""
    registry.on(BookingCreated)(_made)
    registry.on(BookingConfirmed)(_made)
    registry.on(BookingChanged)(_changed)
    registry.on(BookingCancelled)(_cancelled)
    registry.on(BookingCompleted)(_completed)


def _made(session: TenantSession, message: BookingCreated | BookingConfirmed, envelope: Envelope) -> None:
    bookings.tell_of_booking(session, message, envelope.correlation_id)


def _changed(session: TenantSession, message: BookingChanged, envelope: Envelope) -> None:
    bookings.tell_of_change(session, message, envelope.correlation_id)


def _cancelled(session: TenantSession, message: BookingCancelled, envelope: Envelope) -> None:
    bookings.tell_of_cancellation(session, message, envelope.correlation_id)


def _completed(session: TenantSession, message: BookingCompleted, _envelope: Envelope) -> None:
    bookings.remember_booking(session, message)
