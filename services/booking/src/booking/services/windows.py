"""Bookings that touch a stretch of time, found by index however many lie before and after it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, literal_column, select, union_all
from sqlalchemy.orm import aliased

from booking.models import Booking
from booking.models.bookings import LONG_BOOKING

_SHORT = timedelta(hours=24)


def touches(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Whether a booking takes place, or a part of it, between two instants.

    Short ones begin at most a day before; the few longer ones have an index of their own.
    """
    short, long = aliased(Booking), aliased(Booking)
    begun_lately = short.starts_at > start - _SHORT
    lasts = long.ends_at - long.starts_at > literal_column(LONG_BOOKING)
    found = union_all(
        select(short.id).where(begun_lately, short.starts_at < end, short.ends_at > start),
        select(long.id).where(lasts, long.starts_at < end, long.ends_at > start),
    )
    return Booking.id.in_(found)
