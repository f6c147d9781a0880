"""Bookings that touch a stretch of time, found by index however many lie before and after it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, any_, func, literal_column, select, union_all
from sqlalchemy.orm import aliased

from booking.models import Booking
from booking.models.bookings import LONG_BOOKING

_SHORT = timedelta(hours=24)
# Made once: an alias learns its columns anew each time.
_short, _long = aliased(Booking), aliased(Booking)


def touches(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Whether a booking takes place, or a part of it, between two instants.

    Short ones begin at most a day before; the few longer ones have an index of their own. As an array, for PostgreSQL
    would else be tempted to go through all bookings in the order that a short list asks for.
    """
    begun_lately = _short.starts_at > start - _SHORT
    lasts = _long.ends_at - _long.starts_at > literal_column(LONG_BOOKING)
    found = union_all(
        select(_short.id).where(begun_lately, _short.starts_at < end, _short.ends_at > start),
        select(_long.id).where(lasts, _long.starts_at < end, _long.ends_at > start),
    )
    return Booking.id == any_(func.array(found.scalar_subquery()))
