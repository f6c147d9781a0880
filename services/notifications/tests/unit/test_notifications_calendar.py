"""The zone's own rules inside an entry: those of its years, whatever was written before (BOK-6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import icalendar
import pytest

from notifications.mail.calendar import Entry, calendar_file

NOW = datetime(2027, 2, 1, 8, tzinfo=UTC)


def entry(start: datetime, zone: str) -> Entry:
    """A booking of two hours."""
    return Entry(
        booking_id=UUID(int=start.year),
        sequence=1,
        summary="Blue Room",
        place="",
        start=start,
        end=start + timedelta(hours=2),
        zone=zone,
        organizer="desk@example.com",
        organizer_name="Harbour Works",
        attendee="ada@example.com",
    )


@pytest.mark.parametrize(
    ("zone", "start", "offset"),
    [
        ("Europe/Berlin", datetime(2027, 3, 28, 0, 30, tzinfo=UTC), 1),  # the clock goes forward in between
        ("Europe/Berlin", datetime(2027, 7, 1, 8, tzinfo=UTC), 2),
        ("Europe/Berlin", datetime(2031, 12, 31, 23, tzinfo=UTC), 1),  # the year ends in between
        ("America/New_York", datetime(2027, 7, 1, 8, tzinfo=UTC), -4),
        ("Asia/Kolkata", datetime(2027, 7, 1, 8, tzinfo=UTC), 5.5),  # without summer time
    ],
)
def test_the_rules_inside_give_the_bookings_own_offset(zone: str, start: datetime, offset: float) -> None:
    """Read with the file's rules alone."""
    calendar = icalendar.Calendar.from_ical(calendar_file([entry(start, zone)], NOW))
    (rules,) = calendar.walk("VTIMEZONE")
    # Under a name that the reader knows nothing of, or it would take rules of its own.
    rules["TZID"] = f"X-{zone}-{start:%Y%m%d}"
    assert start.astimezone(rules.to_tz(lookup_tzid=False)).utcoffset() == timedelta(hours=offset)


def test_bookings_in_several_zones_have_the_rules_of_each_once() -> None:
    entries = [entry(NOW, "Europe/Berlin"), entry(NOW, "America/New_York"), entry(NOW, "Europe/Berlin")]
    calendar = icalendar.Calendar.from_ical(calendar_file(entries, NOW))
    zones = sorted(str(each["TZID"]) for each in calendar.walk("VTIMEZONE"))
    assert zones == ["America/New_York", "Europe/Berlin"]


def test_a_booking_in_utc_needs_no_rules() -> None:
    assert b"VTIMEZONE" not in calendar_file([entry(NOW, "UTC")], NOW)
