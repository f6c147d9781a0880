"""Announcing that a card will expire (PAY-9)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta

ANNOUNCE_DAYS_BEFORE = (30, 7)


def last_valid_day(year: int, month: int) -> date:
    """A card is good to the end of the month printed on it."""
    return date(year, month, monthrange(year, month)[1])


def announcement_dates(year: int, month: int) -> list[date]:
    """The local dates on which a card's expiry is announced, earliest first: 30 and 7 days before its last day."""
    return [last_valid_day(year, month) - timedelta(days=days) for days in ANNOUNCE_DAYS_BEFORE]


def due_announcement(
    year: int, month: int, today: date, announced: Collection[int], *, charge_to_come: bool
) -> int | None:
    """Which announcement (30 or 7) to make today, or None.

    None too when no charge is to come, when the card has expired, and when that announcement or a later one was made.
    """
    days_left = (last_valid_day(year, month) - today).days
    reached = [days for days in ANNOUNCE_DAYS_BEFORE if days_left <= days]
    if not charge_to_come or days_left < 0 or not reached or any(done <= reached[-1] for done in announced):
        return None
    return reached[-1]
