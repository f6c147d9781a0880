"""Booking policies applied to what somebody asks for (BOK-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from booking.domain.intervals import Interval
from booking.domain.policies import Attempt, Usage, Violation, require_allowed, violations
from booking.domain.statuses import OCCUPYING
from booking.models import Booking, Customer
from booking.services.desk import Desk
from common.clock import local_date, start_of_day
from common.db import TenantSession
from common.errors import FieldError, InvalidError

MAX_LENGTH = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who books: staff may override policies (not overlap and capacity) and set prices; ``subject`` is on the token."""

    subject: str
    is_staff: bool = False
    overrides: bool = False
    is_stranger: bool = False
    location_ids: frozenset[UUID] | None = None  # staff of some locations only


def check_bookable(desk: Desk, asker: Asker, intervals: Sequence[Interval]) -> None:
    """Refuse what the asker may not book, whatever the policy.

    Raises InvalidError ``unknown_resource`` (what the asker may not know of), ``not_bookable``, ``too_long`` (more than
    a year, or three for a series).
    """
    elsewhere = asker.location_ids is not None and desk.location_id not in asker.location_ids
    if elsewhere or (asker.is_stranger and not desk.is_public):
        detail = "there is no such resource"
        raise InvalidError("unknown_resource", detail, errors=[FieldError("/resource_id", detail)])
    if not desk.is_bookable and not asker.overrides:
        raise InvalidError("not_bookable", "this resource cannot be booked just now")
    if any(interval.duration > MAX_LENGTH for interval in intervals):
        raise InvalidError("too_long", f"a booking lasts at most {MAX_LENGTH.days} days")
    if sum((interval.duration for interval in intervals), timedelta()) > 3 * MAX_LENGTH:
        raise InvalidError("too_long", "the dates of a series together last at most three years")


def check_policy(
    session: TenantSession,
    desk: Desk,
    asker: Asker,
    intervals: Sequence[Interval],
    *,
    is_recurring: bool,
    without: Sequence[UUID] = (),
) -> list[list[str]]:
    """The codes of the rules that staff override, per interval; raises InvalidError for everybody else.

    ``without`` are bookings that are being moved and do not count towards quotas.
    """
    attempts = _attempts(session, desk, intervals, is_recurring=is_recurring, without=without, lock=True)
    return [
        [found.code for found in require_allowed(desk.policy, attempt, by_staff=asker.overrides)]
        for attempt in attempts
    ]


def list_violations(
    session: TenantSession, desk: Desk, intervals: Sequence[Interval], *, is_recurring: bool
) -> list[Violation]:
    """What a booking would violate, each rule once: for quotes."""
    attempts = _attempts(session, desk, intervals, is_recurring=is_recurring, without=(), lock=False)
    found: dict[str, Violation] = {}
    for attempt in attempts:
        for violation in violations(desk.policy, attempt):
            found.setdefault(violation.code, violation)
    return list(found.values())


def _attempts(
    session: TenantSession,
    desk: Desk,
    intervals: Sequence[Interval],
    *,
    is_recurring: bool,
    without: Sequence[UUID],
    lock: bool,
) -> list[Attempt]:
    now = session.now()
    usage = _QuotaUse(session, desk, without, lock=lock) if desk.policy.quotas else None
    result = []
    for interval in intervals:
        attempt = Attempt(
            interval=interval,
            now=now,
            calendar=desk.calendar,
            buyer=desk.buyer_on(local_date(interval.start, desk.zone).isoformat()),
            is_recurring=is_recurring,
            is_blocked=desk.is_blocked,
        )
        if usage is not None:
            week, month = usage.around(interval)
            attempt = replace(attempt, used_in_week=week, used_in_month=month)
        result.append(attempt)
    return result


class _QuotaUse:
    """What a customer has booked in weeks and months; their row is locked, so that two requests cannot share a rest."""

    def __init__(self, session: TenantSession, desk: Desk, without: Sequence[UUID], *, lock: bool) -> None:
        self._session, self._desk, self._without = session, desk, without
        self._mine = (
            Booking.member_id == desk.member_id
            if desk.member_id is not None
            else (Booking.company_id == desk.company_id) & Booking.member_id.is_(None)
        )
        self._asked: list[Interval] = []
        customer_id = desk.member_id or desk.company_id
        if lock and customer_id is not None:
            session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())

    def around(self, interval: Interval) -> tuple[Usage, Usage]:
        """The use in the local week and month of an interval, with what was asked for before it."""
        day = local_date(interval.start, self._desk.zone)
        monday = day - timedelta(days=day.weekday())
        first = day.replace(day=1)
        week = self._usage(monday, monday + timedelta(days=7))
        month = self._usage(first, (first + timedelta(days=32)).replace(day=1))
        self._asked.append(interval)
        return week, month

    def _usage(self, first: date, after: date) -> Usage:
        start, end = (start_of_day(day, self._desk.zone) for day in (first, after))
        rows = self._session.scalars(
            select(Booking).where(
                self._mine,
                Booking.resource_id == self._desk.resource_id,
                Booking.status.in_([status.value for status in OCCUPYING]),
                Booking.starts_at >= start,
                Booking.starts_at < end,
                Booking.id.not_in(list(self._without)),
            )
        )
        now = self._session.now()
        lengths = [row.interval.duration for row in rows if row.lifecycle.is_occupying(now)]
        lengths += [asked.duration for asked in self._asked if start <= asked.start < end]
        return Usage(Decimal(sum(lengths, timedelta()) // timedelta(seconds=1)) / 3600, len(lengths))


def require_editable(start: datetime, now: datetime, asker: Asker) -> None:
    """Members change only what has not begun. Raises InvalidError ``begun_already``."""
    if start <= now and not asker.is_staff:
        raise InvalidError("begun_already", "this booking has begun already")
