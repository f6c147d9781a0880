"""A day in one look: how much is booked, and which resources are the fullest in the days from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from booking.domain.report_periods import Step, periods
from booking.domain.statuses import Status
from booking.models import Booking
from booking.services.reports import Asked, ResourceUse, resource_use
from booking.services.windows import touches
from common.auth import Principal
from common.clock import start_of_day
from common.db import TenantSession

_TAKING_PLACE = (Status.HELD, Status.TENTATIVE, Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """``bookings`` touch the day in the organisation's zone; of the ``fullest`` resources the most used comes first."""

    date: date
    bookings: int
    fullest: list[ResourceUse]


def day_summary(session: TenantSession, principal: Principal, day: date, *, days: int, limit: int) -> DaySummary:
    """Sum up a day, and the use of resources in ``days`` days from it, as far as the caller sees them (ACC-1)."""
    seen = principal.location_ids
    rows = resource_use(session, Asked(periods(day, day + timedelta(days=days), Step.TOTAL), seen))
    fullest = sorted(rows, key=lambda row: row.percent, reverse=True)[:limit]
    here: Sequence[Any] = () if seen is None else (Booking.location_id.in_(seen),)
    return DaySummary(day, _number(session, day, here), fullest)


def _number(session: TenantSession, day: date, here: Sequence[Any]) -> int:
    zone = session.organization.timezone
    begins, ends = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
    taking_place = Booking.status.in_([status.value for status in _TAKING_PLACE])
    statement = select(func.count(Booking.id)).where(touches(begins, ends), taking_place, *here)
    return session.scalar(statement) or 0
