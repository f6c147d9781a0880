"""iCalendar (BOK-6): an ``.ics`` per booking, and private feeds per member and per resource."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from sqlalchemy import select

from booking.domain.statuses import Status
from booking.models import Booking, CalendarFeed, Location, Resource
from common.clock import as_utc, instant_to_wall, wall_to_instant
from common.db import TenantSession
from common.errors import NotFoundError

_BACK, _AHEAD = timedelta(days=31), timedelta(days=366)
_SHOWN = (Status.TENTATIVE, Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED)
_STATES = {
    Status.HELD: "TENTATIVE",
    Status.TENTATIVE: "TENTATIVE",
    Status.CONFIRMED: "CONFIRMED",
    Status.CHECKED_IN: "CONFIRMED",
    Status.COMPLETED: "CONFIRMED",
}


def open_feed(
    session: TenantSession, *, member_id: UUID | None = None, resource_id: UUID | None = None
) -> tuple[CalendarFeed, str]:
    """A new private address for a member's or a resource's calendar; the secret is told this once."""
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed(
        member_id=member_id, resource_id=resource_id, secret_digest=_digest(secret), created_at=session.now()
    )
    session.add(feed)
    session.flush()
    return feed, secret


def find_feed(session: TenantSession, secret: str) -> CalendarFeed:
    """The feed behind a secret, in a session across organisations. Raises NotFoundError."""
    feed = session.scalars(select(CalendarFeed).where(CalendarFeed.secret_digest == _digest(secret))).one_or_none()
    if feed is None:
        raise NotFoundError("calendar_not_found", "there is no such calendar")
    return feed


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def feed_calendar(session: TenantSession, member_id: UUID | None, resource_id: UUID | None) -> bytes:
    """The bookings of a feed from a month ago to a year ahead; a resource's feed names nobody (BOK-7)."""
    now = session.now()
    statement = select(Booking).where(
        Booking.starts_at < now + _AHEAD,
        Booking.ends_at > now - _BACK,
        Booking.status.in_([status.value for status in _SHOWN]),
        Booking.member_id == member_id if member_id else Booking.resource_id == resource_id,
    )
    rows = session.scalars(statement.order_by(Booking.starts_at).limit(5000)).all()
    if member_id is not None:
        title = session.organization.name
    else:
        title = session.scalar(select(Resource.name).where(Resource.id == resource_id)) or session.organization.name
    return calendar_of(session, rows, title, with_notes=member_id is not None)


def calendar_of(session: TenantSession, rows: Iterable[Booking], title: str, *, with_notes: bool = True) -> bytes:
    """Bookings as an iCalendar file with the time zones that it needs."""
    calendar = Calendar()
    calendar.add("prodid", "-//Deskledger//Booking//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", title)
    places: dict[UUID, str] = {}
    for row in rows:
        if row.location_id not in places:
            places[row.location_id] = session.scalar(select(Location.name).where(Location.id == row.location_id)) or ""
        calendar.add_component(_event(row, places[row.location_id], with_notes=with_notes))
    calendar.add_missing_timezones()
    text: bytes = calendar.to_ical()
    return text


def _event(row: Booking, place: str, *, with_notes: bool) -> Event:
    event = Event()
    event.add("uid", f"{row.id}@deskledger")
    event.add("sequence", row.version - 1)
    event.add("dtstamp", row.created_at)
    event.add("dtstart", _local(row.starts_at, row.timezone))
    event.add("dtend", _local(row.ends_at, row.timezone))
    event.add("summary", row.resource_name)
    event.add("status", _STATES.get(Status(row.status), "CANCELLED"))
    if place:
        event.add("location", place)
    if with_notes and row.note:
        event.add("description", row.note)
    return event


def _local(instant: datetime, zone: str) -> datetime:
    """An instant by the local clock; in UTC where that shows the time a second time and iCalendar means the first."""
    is_told = wall_to_instant(instant_to_wall(instant, zone), zone) == instant
    return instant.astimezone(ZoneInfo(zone)) if is_told else as_utc(instant)


def file_name(row: Booking) -> str:
    """What a booking's file is called."""
    return f"booking-{instant_to_wall(row.starts_at, row.timezone):%Y-%m-%d-%H%M}.ics"
