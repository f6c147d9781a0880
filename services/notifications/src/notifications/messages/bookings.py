"""Bookings."""

from __future__ import annotations

from datetime import datetime

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.booking import BookingCancelled, BookingChanged, BookingCompleted, BookingConfirmed, BookingCreated
from notifications.services import booking_watch, bookings


def register(registry: Handlers) -> None:
    """Listen to what is booked."""
    registry.on(BookingCreated)(_made)
    registry.on(BookingConfirmed)(_made)
    registry.on(BookingChanged)(_changed)
    registry.on(BookingCancelled)(_cancelled)
    registry.on(BookingCompleted)(_completed)


def _made(session: TenantSession, message: BookingCreated | BookingConfirmed, envelope: Envelope) -> None:
    bookings.tell_of_booking(session, message, envelope.correlation_id, _told_at(session, envelope))


def _changed(session: TenantSession, message: BookingChanged, envelope: Envelope) -> None:
    bookings.tell_of_change(session, message, envelope.correlation_id, _told_at(session, envelope))


def _cancelled(session: TenantSession, message: BookingCancelled, envelope: Envelope) -> None:
    bookings.tell_of_cancellation(session, message, envelope.correlation_id, _told_at(session, envelope))


def _completed(session: TenantSession, message: BookingCompleted, envelope: Envelope) -> None:
    booking_watch.remember_booking(session, message, _told_at(session, envelope))


def _told_at(session: TenantSession, envelope: Envelope) -> datetime:
    """When it happened, by the organisation's clock: a message may have waited, but not on a rehearsal's clock."""
    return envelope.created_at if session.organization.mode == "live" else session.now()
