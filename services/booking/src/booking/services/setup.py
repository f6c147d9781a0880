"""What the checklist should know about bookings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from booking.domain.statuses import Status
from booking.models import Booking
from common.db import TenantSession


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts for the checklist, and what needs a person: requests that wait, payments that came too late."""
    now = session.now()
    counts = session.execute(
        select(
            func.count().filter(Booking.starts_at > now, Booking.status == Status.CONFIRMED).label("upcoming"),
            func.count().filter(Booking.starts_at > now, Booking.status == Status.TENTATIVE).label("waiting"),
            func.count().filter(Booking.cancel_reason == "paid_too_late").label("late"),
        )
    ).one()
    problems = []
    if counts.waiting:
        detail = f"{counts.waiting} booking(s) wait for approval and hold their time"
        problems.append({"code": "bookings_waiting", "detail": detail, "href": "/admin/bookings?status=tentative"})
    if counts.late:
        detail = (
            f"{counts.late} booking(s) were paid after somebody else had taken their time: "
            "the money goes back by itself, the customers want another time"
        )
        problems.append({"code": "bookings_paid_too_late", "detail": detail, "href": "/admin/bookings?status=expired"})
    facts = {"bookings_upcoming": counts.upcoming, "bookings_waiting": counts.waiting, "bookings_late": counts.late}
    return {"facts": facts, "problems": problems}
