"""Calendar entries (RFC 5545) for bookings: right in the location's zone, the same entry at every change (BOK-6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vText


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking as calendars see it; ``sequence`` grows with each change, ``organizer`` is an e-mail address."""

    booking_id: UUID
    sequence: int
    summary: str
    place: str
    start: datetime
    end: datetime
    zone: str
    organizer: str
    organizer_name: str
    attendee: str
    cancelled: bool = False


def calendar_file(entries: Sequence[Entry], now: datetime) -> bytes:
    """An ``.ics`` with the zone's own rules inside, so that it reads right everywhere."""
    calendar = Calendar()
    calendar.add("prodid", "-//Deskledger//Notifications//EN")
    calendar.add("version", "2.0")
    calendar.add("method", calendar_method(entries))
    for entry in entries:
        calendar.add_component(_event(entry, now))
    years = [at.year for entry in entries for at in (entry.start, entry.end)]
    for tzid in sorted(calendar.get_missing_tzids()):
        calendar.subcomponents.insert(0, _rules(tzid, min(years) - 1, max(years) + 1))
    return bytes(calendar.to_ical())


@lru_cache(maxsize=256)
def _rules(tzid: str, first_year: int, last_year: int) -> Timezone:
    """A zone's rules for these years. Finding them takes longer than all the rest of a mail."""
    return Timezone.from_tzid(tzid, first_date=date(first_year, 1, 1), last_date=date(last_year, 12, 31))


def calendar_method(entries: Sequence[Entry]) -> str:
    """``REQUEST`` puts or updates an entry, ``CANCEL`` takes it away; several at once are only published (RFC 5546)."""
    if len(entries) > 1:
        return "PUBLISH"
    return "CANCEL" if entries[0].cancelled else "REQUEST"


def _event(entry: Entry, now: datetime) -> Event:
    zone = ZoneInfo(entry.zone)
    event = Event()
    event.add("uid", f"{entry.booking_id.hex}@deskledger")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", entry.start.astimezone(zone))
    event.add("dtend", entry.end.astimezone(zone))
    event.add("summary", entry.summary)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    if entry.place:
        event.add("location", entry.place)
    event.add("organizer", _person(entry.organizer, entry.organizer_name))
    attendee = _person(entry.attendee, entry.attendee)
    attendee.params["PARTSTAT"], attendee.params["RSVP"] = vText("ACCEPTED"), vText("FALSE")
    event.add("attendee", attendee, encode=False)
    return event


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(name)
    return person
