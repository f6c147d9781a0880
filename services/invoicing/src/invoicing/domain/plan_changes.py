"""Changing the plan of a membership: a credit line for the old rest, charge lines for the new one (PRO-4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from common.money import Money

from .membership_lines import BillableLine, MembershipTerms, billable_lines
from .periods import Anchor, period_index
from .periods import boundary as boundary_of
from .proration import ONE_DAY, BilledPeriod, Pause, Settlement, settle

ChangeTiming = Literal["now", "period_end"]

_DAYS_PER_YEAR = Fraction(3652425, 10000)  # the Gregorian mean


@dataclass(frozen=True, slots=True)
class PlanChange:
    """``credits`` have negative differences; ``net`` = charges minus credits. A negative net becomes a credit note."""

    day: date
    credits: tuple[Settlement, ...]
    charges: tuple[BillableLine, ...]
    net: Money


def yearly_amount(price: Money, quantity: Decimal, discount_percent: Decimal, anchor: Anchor) -> Fraction:
    """What a membership brings in an average year, exact, in minor units (to compare plans, and for MRR / 12)."""
    per_period = price.amount_minor * Fraction(quantity) * (100 - Fraction(discount_percent)) / 100
    if anchor.interval == "week":
        return per_period * _DAYS_PER_YEAR / (7 * anchor.count)
    return per_period * 12 / anchor.months


def default_timing(old: MembershipTerms, new: MembershipTerms) -> ChangeTiming:
    """Upgrades now, downgrades (and changes that cost the same) at the end of the period (PRO-4)."""
    before = yearly_amount(old.price, old.quantity, old.discount_percent, old.anchor)
    after = yearly_amount(new.price, new.quantity, new.discount_percent, new.anchor)
    return "now" if after > before else "period_end"


def change_day(terms: MembershipTerms, timing: ChangeTiming, today: date) -> date:
    """The first day of the new plan: today, or the first period boundary that is still to come (PRO-4)."""
    day = max(today, terms.start_date)
    if timing == "now":
        return day
    # A period is over when its end is reached: a change asked for on a boundary may begin with it if it is unbilled.
    n = period_index(terms.anchor, day)
    if boundary_of(terms.anchor, n) == day and (terms.billed_until or terms.start_date) <= day:
        return day
    return boundary_of(terms.anchor, n + 1)


def plan_change(
    day: date,
    *,
    billed: Iterable[BilledPeriod],
    old_prorates: bool,
    new: MembershipTerms,
    as_of: date,
    pauses: Sequence[Pause] = (),
) -> PlanChange:
    """Credits for what the old plan billed from ``day`` on, and the charges of ``new`` (which starts on ``day``).

    ``as_of`` is today, or ``day`` for the preview of a change to come; within a trial the charges are those after it.
    Nothing is credited by a plan that does not prorate (PRO-1). Each credit refers to its original line and is capped
    at what that still carries.
    """
    given_back = tuple(
        each
        for each in (settle(billed, end_date=day - ONE_DAY, pauses=pauses) if old_prorates else ())
        if each.difference.amount_minor < 0
    )
    charges = tuple(billable_lines(new, max(new.charged_from, as_of)))
    net = Money.total([each.difference for each in given_back], new.price.currency)
    return PlanChange(day, given_back, charges, Money.total([each.amount for each in charges], net.currency) + net)
