"""Proration: price x days used / days of the full period, multiplied first and rounded once (PRO-1 to PRO-8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from common.errors import InvalidError
from common.money import Money

from .periods import Anchor, Period, add_months, period_containing
from .rounding import divide_half_up

ONE_DAY = timedelta(days=1)
ONE = Decimal(1)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pause:
    """No charge from ``first_day`` to ``last_day``, both included (PRO-2, PRO-6); without a last day it is open."""

    first_day: date
    last_day: date | None = None

    def __post_init__(self) -> None:
        if self.last_day is not None and self.last_day < self.first_day:
            raise InvalidError("invalid_pause", "A pause cannot end before it begins.")


@dataclass(frozen=True, slots=True)
class BilledPeriod:
    """A membership line that was invoiced: what it was made from, what it charged and what was credited since.

    ``charged_days`` are the days it charges for after earlier settlements; of a line just made, its ``used_days``.
    """

    period: Period
    full_days: int
    charged_days: int
    unit_price: Money
    quantity: Decimal
    discount_percent: Decimal
    amount: Money
    credited: Money
    line_id: UUID | None = None

    @property
    def carries(self) -> Money:
        """What the line still charges: the cap of any further credit (PRO-4)."""
        return self.amount - self.credited


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a billed line owes back (negative ``difference``: a credit) or asks on top (positive: a pause taken back).

    ``used_days`` are the line's ``charged_days`` from now on.
    """

    billed: BilledPeriod
    used_days: int
    difference: Money
    explain: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """What binds a member who wants to leave (PRO-8). ``ends_with_period``: only at the end of a billing period."""

    minimum_term_months: int = 0
    notice_days: int = 0
    notice_months: int = 0
    ends_with_period: bool = False


def prorated(amount_minor: int, used_days: int, full_days: int) -> int:
    """``amount x used / full`` in minor units, rounded half up once (PRO-1). ``full_days`` must be positive."""
    return divide_half_up(amount_minor * used_days, full_days)


def line_amount(
    unit_minor: int, quantity: Decimal, discount_percent: Decimal = ZERO, used_days: int = 1, full_days: int = 1
) -> int:
    """``unit price x quantity x (100 - discount) % x used / full`` in minor units: all multiplied, rounded once."""
    numerator, denominator = unit_minor * used_days, full_days
    if quantity != ONE:
        above, below = quantity.as_integer_ratio()
        numerator, denominator = numerator * above, denominator * below
    if discount_percent:
        above, below = discount_percent.as_integer_ratio()
        numerator, denominator = numerator * (100 * below - above), denominator * 100 * below
    return numerator if denominator == 1 else divide_half_up(numerator, denominator)


def paused_days(period: Period, pauses: Iterable[Pause]) -> int:
    """Days of ``period`` that lie in any of the pauses, each counted once however many pauses cover it (PRO-6)."""
    total, free_from = 0, period.start
    for pause in sorted(pauses, key=lambda each: each.first_day):
        begin = max(pause.first_day, free_from)
        end = period.end if pause.last_day is None else min(pause.last_day + ONE_DAY, period.end)
        if begin < end:
            total += (end - begin).days
            free_from = end
    return total


def used_days(period: Period, pauses: Sequence[Pause] = (), end_date: date | None = None) -> int:
    """Days of ``period`` that are charged: up to ``end_date`` (its last day, included) and without pauses."""
    if end_date is not None and end_date + ONE_DAY < period.end:
        period = Period(period.start, end_date + ONE_DAY)
    days = period.days
    if days <= 0:
        return 0
    return days - paused_days(period, pauses) if pauses else days


def settle(
    billed: Iterable[BilledPeriod], *, end_date: date | None = None, pauses: Sequence[Pause] = ()
) -> list[Settlement]:
    """What billed lines of a prorating plan owe back after an end, a pause or a plan change (BIL-7, PRO-4, PRO-6).

    The difference is the price of the days used now minus that of the days charged until now, so that a charge and all
    its settlements add up to the days used, whatever the sequence; goodwill credits stand apart and only cap it: a
    credit never exceeds what a line still carries. Lines that need nothing are left out. ``end_date`` is the last day,
    so a plan change on day D passes the day before D. Afterwards the caller moves the membership's ``billed_until``
    back to the day after ``end_date``.
    """
    settled = []
    for line in billed:
        used = used_days(line.period, pauses, end_date)
        if used != line.charged_days:
            difference = max(_days_price(line, used) - _days_price(line, line.charged_days), -line.carries.amount_minor)
            changed = abs(line.charged_days - used)
            text = f"{changed} of {line.full_days} days {'unused' if used < line.charged_days else 'more'}"
            settled.append(Settlement(line, used, Money(difference, line.amount.currency), text))
    return settled


def _days_price(line: BilledPeriod, days: int) -> int:
    return line_amount(line.unit_price.amount_minor, line.quantity, line.discount_percent, days, line.full_days)


def earliest_end(start_date: date, commitment: Commitment, *, requested_on: date, anchor: Anchor) -> date:
    """The first possible last day of a membership: the latest of minimum term and notice, and with
    ``ends_with_period`` the last day of the period in which that falls (PRO-8).

    A term of 3 months from 15 Jan ends on 14 Apr; a notice of 30 days given on 1 Mar ends on 31 Mar.
    """
    notice = add_months(requested_on, commitment.notice_months) + timedelta(days=commitment.notice_days)
    # A membership lasts at least its first day, and one that has not begun cannot end before it.
    term = add_months(start_date, commitment.minimum_term_months) - ONE_DAY
    last = max(start_date, notice, term)
    if commitment.ends_with_period:
        return period_containing(anchor, last).end - ONE_DAY
    return last
