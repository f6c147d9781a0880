"""What a booking's people are told: requested, confirmed, changed, cancelled; and the team of what waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from common.db import TenantSession
from contracts.booking import BookingState
from notifications.services.booking_notices import approval_notice, booking_notice, occurrence_of
from notifications.services.booking_watch import facts_of, remember_booking
from notifications.services.gathering import gather
from notifications.services.notifying import Notice, notify

_UNTOLD = {"held", "expired", "no_show"}  # a hold is a checkout's affair, a no-show shows on the invoice

# Writes the notice of a source that tells of these occurrences.
Write = Callable[[str, list[dict[str, Any]]], Notice]


def tell_of_booking(session: TenantSession, message: BookingState, request_id: str | None, told_at: datetime) -> None:
    """A booking was made or confirmed: say so, or that the request waits for approval, also to those who approve."""
    news = remember_booking(session, message, told_at)
    if news.overtaken:
        return
    if message.status == "confirmed":
        _tell(session, message, "booking-confirmed", "confirmed", request_id)
    elif message.status == "tentative":
        _tell(session, message, "booking-requested", "requested", request_id)
        _ask_for_approval(session, message, request_id)


def tell_of_change(session: TenantSession, message: BookingState, request_id: str | None, told_at: datetime) -> None:
    """A booking changed: tell of another time, room or price; a check-in or a note is no news."""
    news = remember_booking(session, message, told_at)
    if news.facts and not news.overtaken and message.status in {"confirmed", "tentative"}:
        _tell(session, message, "booking-changed", f"changed:{facts_of(message)}", request_id)


def tell_of_cancellation(
    session: TenantSession, message: BookingState, request_id: str | None, told_at: datetime
) -> None:
    """A booking was cancelled or rejected."""
    news = remember_booking(session, message, told_at)
    if message.status not in _UNTOLD and not news.was_held:
        _tell(session, message, "booking-cancelled", "cancelled", request_id)


def _tell(session: TenantSession, message: BookingState, template: str, event: str, request_id: str | None) -> None:
    if message.member_id is not None or message.company_id is not None:
        _once(session, message, partial(booking_notice, session, message, template), event, request_id)


def _ask_for_approval(session: TenantSession, message: BookingState, request_id: str | None) -> None:
    if message.member_id is not None or message.company_id is not None:
        _once(session, message, partial(approval_notice, session, message), "approval", request_id)


def _once(session: TenantSession, message: BookingState, write: Write, event: str, request_id: str | None) -> None:
    """One mail for a booking, or for all bookings of a series that the same request touched."""
    mine = [occurrence_of(message)]
    alone = write(f"booking:{message.booking_id}:{event}", mine)
    if message.series_id is None or not request_id:
        notify(session, alone)
        return
    source = f"series:{message.series_id}:{event.partition(':')[0]}:{request_id}"
    if not gather(session, write(source, mine), partial(write, source)):
        notify(session, alone)
