"""Billing periods: half-open civil-date intervals counted from a stored anchor (BIL-1, BIL-2).

Dates are civil dates in the location's zone. ``end`` of a period is always exclusive.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Literal

from common.errors import InvalidError

Interval = Literal["week", "month", "year"]
PeriodStart = Literal["first_of_month", "membership_start"]

_STEPS_BACK_TO_A_LONG_MONTH = 9  # a 29 February may be eight years away (1896 to 1904)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where periods are counted from: every ``count`` weeks, months or years on the day of ``start`` (BIL-2)."""

    start: date
    interval: Interval = "month"
    count: int = 1

    def __post_init__(self) -> None:
        if self.interval not in ("week", "month", "year"):
            raise InvalidError("invalid_interval", f"The interval must be week, month or year, not {self.interval!r}.")
        if self.count < 1:
            raise InvalidError("invalid_interval", "The interval count must be at least 1.")

    @property
    def months(self) -> int:
        """Months in one period; 0 for weekly anchors."""
        if self.interval == "month":
            return self.count
        return 12 * self.count if self.interval == "year" else 0


@dataclass(frozen=True, slots=True)
class Period:
    """The civil days from ``start`` up to, and without, ``end``."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days; 0 or less when empty."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later (or earlier), or the last day of a month too short for it."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    wanted = day.day
    if wanted > 28:
        wanted = min(wanted, monthrange(year, month0 + 1)[1])
    return date(year, month0 + 1, wanted)


def boundary(anchor: Anchor, n: int) -> date:
    """Start of period ``n`` (0 is the anchor itself, negative lies before), always counted from the anchor (BIL-2)."""
    months = anchor.months
    if months:
        return add_months(anchor.start, n * months)
    return anchor.start + timedelta(weeks=n * anchor.count)


def period_index(anchor: Anchor, day: date) -> int:
    """The n of the period that contains ``day``: ``boundary(n) <= day < boundary(n + 1)``."""
    months = anchor.months
    start = anchor.start
    if not months:
        return (day - start).days // (7 * anchor.count)
    n = ((day.year - start.year) * 12 + day.month - start.month) // months
    return n if boundary(anchor, n) <= day else n - 1


def period(anchor: Anchor, n: int) -> Period:
    """Period ``n``: from boundary n to boundary n + 1."""
    return Period(boundary(anchor, n), boundary(anchor, n + 1))


def period_containing(anchor: Anchor, day: date) -> Period:
    """The one period of the anchor that contains ``day``."""
    return period(anchor, period_index(anchor, day))


def periods_from(anchor: Anchor, day: date) -> Iterator[Period]:
    """The period that contains ``day`` and all after it, without end."""
    first = period_index(anchor, day)
    start = boundary(anchor, first)
    for n in count(first + 1):
        end = boundary(anchor, n)
        yield Period(start, end)
        start = end


def periods_between(anchor: Anchor, since: date, until: date) -> Iterator[Period]:
    """All periods that share a day with ``[since, until)``, whole, in order."""
    if since >= until:
        return
    for each in periods_from(anchor, since):
        if each.start >= until:
            return
        yield each


def choose_anchor(
    first_day: date,
    interval: Interval,
    interval_count: int = 1,
    *,
    period_start: PeriodStart,
    billing_day: int | None = None,
) -> Anchor:
    """The anchor to store for a membership charged from ``first_day`` (its start, or its trial's end: BIL-1, PRO-7).

    A customer's ``billing_day`` (1-31) wins over the organisation's ``period_start``. On a fixed day the period that
    contains ``first_day`` begins before it, so the first one is partial. Weeks know no day of the month: they are
    always counted from ``first_day``. Raises InvalidError for a billing day outside 1-31.
    """
    if billing_day is not None and not 1 <= billing_day <= 31:
        raise InvalidError("invalid_billing_day", "A billing day lies between 1 and 31.")
    if interval == "week" or (billing_day is None and period_start == "membership_start"):
        return Anchor(first_day, interval, interval_count)
    fixed = 1 if billing_day is None else billing_day
    return _fixed_day_anchor(first_day, interval, interval_count, fixed)


def _fixed_day_anchor(first_day: date, interval: Interval, interval_count: int, day: int) -> Anchor:
    """The latest boundary on ``day`` not after ``first_day``, moved back by whole periods to a month that has the day.

    An anchor of 30 April could not say that the next period starts on 31 May; one of 31 March can.
    """
    month = first_day.replace(day=1)
    if _clamped(month, day) > first_day:
        month = add_months(month, -1)
    step = Anchor(month, interval, interval_count).months
    months = (add_months(month, -step * k) for k in range(_STEPS_BACK_TO_A_LONG_MONTH))
    longest = max((_clamped(each, day) for each in months), key=lambda each: each.day)
    return Anchor(longest, interval, interval_count)


def _clamped(month: date, day: int) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))
