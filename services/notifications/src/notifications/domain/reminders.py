"""When somebody is reminded of a booking."""

from __future__ import annotations

from datetime import datetime, timedelta

DEFAULT_HOURS = 24
MOST_HOURS = 14 * 24


def reminder_instant(start: datetime, told_at: datetime, hours: int | None) -> datetime | None:
    """``hours`` before the start; None when reminders are off, or when the time was agreed on later than that."""
    if hours is None:
        return None
    instant = start - timedelta(hours=hours)
    return instant if instant > told_at else None
