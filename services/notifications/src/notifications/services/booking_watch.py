"""What is known of bookings: what is news in a message, and when a reminder is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.clock import as_utc
from common.db import TenantSession
from contracts.booking import BookingState
from notifications.domain.reminders import reminder_instant
from notifications.domain.wording import booking_facts
from notifications.models import BookingCopy
from notifications.services.settings import reminder_hours

_OVER = {"cancelled", "rejected", "expired", "no_show", "completed"}


@dataclass(frozen=True, slots=True)
class News:
    """What a message adds to what is known: ``facts`` never told, or ``overtaken`` by a newer state."""

    facts: bool
    overtaken: bool
    was_held: bool = False


def remember_booking(session: TenantSession, message: BookingState, told_at: datetime) -> News:
    """Keep the newest state and every set of facts heard of, the newest last; plan the reminder.

    ``told_at`` is when the booking came to be as the message says, in the organisation's time.
    """
    # Before the booking's own row, as a change of the settings locks them: in the other order they would deadlock.
    hours = reminder_hours(session)
    if _is_first(session, message, told_at, hours):
        return News(facts=message.version > 1, overtaken=False)
    known = _locked(session, message.booking_id)
    news = _news(known, message)
    is_moved = message.version > known.version and known.starts_at != message.start
    if message.version > known.version:
        _replace(known, message)
    _plan_reminder(known, message, reminder_instant(message.start, told_at, hours), is_moved=is_moved)
    session.flush()
    return news


def facts_of(message: BookingState) -> str:
    """Time, room and price of a booking in one comparable text."""
    return booking_facts(message.start, message.end, message.resource_name, message.price)


def _is_first(session: TenantSession, message: BookingState, told_at: datetime, hours: int | None) -> bool:
    remind_at = reminder_instant(message.start, told_at, hours) if message.status == "confirmed" else None
    fresh = {
        "id": message.booking_id,
        "organization_id": session.organization_id,
        "status": message.status,
        "facts": [facts_of(message)],
        "starts_at": message.start,
        "remind_at": remind_at,
        "state": msgspec.to_builtins(message),
        "version": message.version,
    }
    statement = insert(BookingCopy).values(fresh).on_conflict_do_nothing().returning(BookingCopy.id)
    return session.scalar(statement) is not None


def _locked(session: TenantSession, booking_id: UUID) -> BookingCopy:
    statement = select(BookingCopy).where(BookingCopy.id == booking_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _news(known: BookingCopy, message: BookingState) -> News:
    facts = facts_of(message)
    return News(
        facts=facts not in known.facts,
        overtaken=message.version < known.version and (known.status in _OVER or facts != known.facts[-1]),
        was_held=known.status == "held",
    )


def _replace(known: BookingCopy, message: BookingState) -> None:
    facts = facts_of(message)
    known.status, known.version = message.status, message.version
    known.facts = [*(other for other in known.facts if other != facts), facts]
    known.starts_at, known.state = as_utc(message.start), msgspec.to_builtins(message)


def _plan_reminder(known: BookingCopy, message: BookingState, instant: datetime | None, *, is_moved: bool) -> None:
    """Whichever message confirmed the present time counts, in whatever order they come; a move starts afresh."""
    if known.status != "confirmed":
        known.remind_at = None
    elif message.status == "confirmed" and message.start == known.starts_at:
        known.remind_at = instant if is_moved else known.remind_at or instant
