"""When to try again, and when to give up: mail and webhooks are tried for about a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

_MINUTES = (1, 5, 15, 60, 180, 360, 840)
DELAYS = tuple(timedelta(minutes=minutes) for minutes in _MINUTES)


def next_attempt(attempts: int, now: datetime, delays: Sequence[timedelta] = DELAYS) -> datetime | None:
    """When to try after the ``attempts``-th failure (1 for the first); None when it is enough."""
    return now + delays[attempts - 1] if attempts <= len(delays) else None


def expiry(now: datetime, days: int) -> datetime:
    """Midnight UTC after ``days`` full days.

    Rounded, so that a clock simulation meets one clean-up a day and not one for every row.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=days + 1)
