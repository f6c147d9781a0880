"""What the checklist should know about bookings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Boolean, func, literal_column, select

from booking.domain.statuses import Status
from booking.models import Booking
from booking.models.bookings import FOR_STAFF
from common.db import TenantSession

# Whoever paid for a time that is long over has been told, and has their money back.
_RECENT = timedelta(days=7)


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts for the checklist, and what needs a person: requests that wait, payments that came too late."""
    now = session.now()
    waits = (Booking.starts_at > now, Booking.status == Status.TENTATIVE)
    counts = session.execute(
        select(
            func.count().filter(*waits).label("waiting"),
            func.count().filter(Booking.cancel_reason == "paid_too_late").label("late"),
        ).where(Booking.starts_at > now - _RECENT, literal_column(f"({FOR_STAFF})", Boolean))
    ).one()
    problems = []
    if counts.waiting:
        detail = f"bookings that wait for approval and hold their time: {counts.waiting}"
        problems.append(_problem("bookings_waiting", detail, "/admin/bookings?status=tentative", counts.waiting))
    if counts.late:
        detail = (
            f"bookings that were paid after somebody else had taken their time: {counts.late}; "
            "the money goes back by itself, the customers want another time"
        )
        problems.append(_problem("bookings_paid_too_late", detail, "/admin/bookings?status=expired", counts.late))
    return {"facts": {"bookings_waiting": counts.waiting, "bookings_late": counts.late}, "problems": problems}


def _problem(code: str, detail: str, href: str, number: int) -> dict[str, str]:
    return {"code": code, "detail": detail, "href": href, "about": str(number)}
