"""Time: one source of "now", and the one place where wall time becomes an instant.

Instants are aware datetimes in UTC; civil dates and wall times belong to a location's zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the current instant."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands where it was put: rehearsal organisations and tests."""

    def __init__(self, instant: datetime) -> None:
        self._instant = as_utc(instant)

    def now(self) -> datetime:
        return self._instant

    def move_to(self, instant: datetime) -> None:
        """Set the clock; moving it back is the caller's business."""
        self._instant = as_utc(instant)


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC; raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError("naive datetime")
    return instant.astimezone(UTC)


def wall_to_instant(wall: datetime, zone: str) -> datetime:
    """Turn a naive local wall time into a UTC instant (BOK-4).

    In a gap (clocks go forward) the time shifts forward by the gap; in an overlap (clocks go back) the first of the
    two instants is taken. ``zone`` is an IANA name.
    """
    if wall.tzinfo is not None:
        raise ValueError("wall time must be naive")
    # With fold=0 zoneinfo reads a gap with the offset before it (a shift forward), and an overlap as its first.
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def instant_to_wall(instant: datetime, zone: str) -> datetime:
    """The naive local wall time of an instant in a zone."""
    return _in_zone(instant, zone).replace(tzinfo=None)


def local_date(instant: datetime, zone: str) -> date:
    """The civil date of an instant in a zone."""
    return _in_zone(instant, zone).date()


def _in_zone(instant: datetime, zone: str) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("naive datetime")
    return instant.astimezone(ZoneInfo(zone))


def start_of_day(day: date, zone: str) -> datetime:
    """The instant at which a civil date begins in a zone (00:00, or the first moment after a gap at midnight)."""
    return wall_to_instant(datetime.combine(day, time.min), zone)


def end_of_day(day: date, zone: str) -> datetime:
    """The instant at which a civil date ends in a zone: the start of the next one."""
    return start_of_day(day + timedelta(days=1), zone)


def at_local_hour(day: date, hour: int, zone: str) -> datetime:
    """The instant of a full hour on a civil date in a zone (PAY-1 charge hour)."""
    return wall_to_instant(datetime.combine(day, time(hour)), zone)
