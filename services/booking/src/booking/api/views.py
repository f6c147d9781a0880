"""Bookings and quotes as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from booking.models import Booking, Customer
from booking.services.quotes import Quote
from common.auth import current_principal
from common.db import TenantSession
from common.money import Money

_PLAIN = (
    "id series_id number resource_id resource_name location_id timezone unit_no member_id company_id is_personal "
    "note payment hold_expires_at checkout_id checked_in_at cancelled_at cancel_reason overridden extras created_at "
    "version"
).split()


def show_booking(booking: Booking, now: datetime, *, name: str | None) -> dict[str, Any]:
    """A booking; its status is what it is by the clock, whether a job has run or not (BOK-2)."""
    price = booking.snapshot
    fee = booking.cancellation_fee_minor
    return {
        **{field: getattr(booking, field) for field in _PLAIN},
        "private_note": booking.private_note if current_principal().is_staff else None,
        "status": booking.lifecycle.at(now).value,
        "customer_name": name,
        "start": booking.starts_at,
        "end": booking.ends_at,
        "price": price.total,
        "lines": price.lines,
        "explain": price.explain,
        "tax_percent": price.tax_percent,
        "taxes": price.taxes,
        "prices_include_tax": price.prices_include_tax,
        "credits_used": booking.credits_used,
        "promo_code": price.promo_code,
        "cancellation_fee": None if fee is None else Money(fee, booking.currency),
    }


def show_bookings(session: TenantSession, rows: Sequence[Booking]) -> list[dict[str, Any]]:
    """Bookings with the names of their customers."""
    names = _names(session, rows)
    now = session.now()
    return [show_booking(row, now, name=names.get(row.member_id or row.company_id)) for row in rows]


def customer_name(session: TenantSession, row: Booking) -> str | None:
    """The name of a booking's customer."""
    return _names(session, [row]).get(row.member_id or row.company_id)


def show_series(session: TenantSession, first: Booking, rows: Sequence[Booking], *, name: str | None) -> dict[str, Any]:
    """A booking, with its customer's name, and all occurrences of which it is one."""
    now = session.now()
    shown = show_booking(first, now, name=name)
    occurrences = [shown if row is first else _show_occurrence(row, now) for row in rows]
    return {**shown, "occurrences": occurrences}


def _show_occurrence(row: Booking, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "start": row.starts_at,
        "end": row.ends_at,
        "status": row.lifecycle.at(now).value,
        "price": row.money("price"),
    }


def _names(session: TenantSession, rows: Sequence[Booking]) -> dict[UUID | None, str]:
    ids = {row.member_id or row.company_id for row in rows}
    found = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in found}


def show_quote(quote: Quote) -> dict[str, Any]:
    """A quote; the first date's lines and explanation, and every date's price."""
    price, first = quote.prices[0], quote.occurrences[0].interval
    return {
        "resource_id": quote.desk.resource_id,
        "start": first.start,
        "end": first.end,
        "total": quote.total,
        "lines": price.lines,
        "explain": price.explain,
        "credits_used": sum(p.credits_used for p in quote.prices),
        "promo_code": price.promo_code,
        "tax_percent": price.tax_percent,
        "taxes": price.taxes,
        "prices_include_tax": price.prices_include_tax,
        "available": not quote.taken,
        "violations": quote.violations,
        "conflicts": quote.taken,
        "occurrences": [
            {"start": o.interval.start, "end": o.interval.end, "price": p.total}
            for o, p in zip(quote.occurrences, quote.prices, strict=True)
        ],
    }
