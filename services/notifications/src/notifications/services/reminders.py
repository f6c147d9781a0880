"""Reminding people of their bookings, each at its stored instant on the organisation's clock."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from common.clock import as_utc
from common.db import TenantSession
from common.jobs import JobRun
from contracts.booking import BookingState
from notifications.models import BookingCopy
from notifications.services.booking_notices import booking_notice, occurrence_of
from notifications.services.notifying import notify

BATCH = 50


def remind_of_bookings(run: JobRun) -> None:
    """Remind of all bookings of an organisation that are due for it, the earliest first."""
    while _batch(run):
        pass


def _batch(run: JobRun) -> int:
    with run.database.session(run.organization_id) as session:
        due = session.scalars(
            select(BookingCopy)
            .where(BookingCopy.remind_at <= run.now)
            .order_by(BookingCopy.remind_at, BookingCopy.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for booking in due:
            _remind(session, booking)
            booking.remind_at = None
        session.commit()
    return len(due)


def _remind(session: TenantSession, booking: BookingCopy) -> None:
    """One reminder for a booking and its time, however often the time changes; none once it has begun."""
    message = msgspec.convert(booking.state, BookingState)
    if message.start <= session.now() or (message.member_id is None and message.company_id is None):
        return
    source = f"booking:{message.booking_id}:reminder:{as_utc(message.start).isoformat()}"
    notify(session, booking_notice(session, message, "booking-reminder", source, [occurrence_of(message)]))
