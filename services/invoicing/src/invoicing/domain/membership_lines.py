"""What a membership owes up to a day, period by period with the planned dates (BIL-1 to BIL-9, PRO-1 to PRO-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from common.errors import InvalidError
from common.money import Money

from .periods import Anchor, Period, boundary, period_index
from .proration import ONE, ONE_DAY, ZERO, Pause, line_amount, paused_days
from .rounding import HUNDRED

LineKind = Literal["membership", "setup_fee", "deposit"]


@dataclass(frozen=True, slots=True)
class MembershipTerms:
    """All that decides the charges of one membership.

    ``price`` is per period and unit, as the plan states it (with tax included or not: `totals` knows). ``end_date`` is
    the last day, included (PRO-2). ``anchor`` is the stored one (`periods.choose_anchor`). ``billed_until`` is the
    first day not billed yet, None when nothing was. ``earliest_issue`` is the day the membership was made or last
    changed: no invoice of it is dated earlier. Setup fee and deposit are per membership, whatever the quantity.
    """

    price: Money
    anchor: Anchor
    start_date: date
    earliest_issue: date
    end_date: date | None = None
    quantity: Decimal = ONE
    discount_percent: Decimal = ZERO
    prorate: bool = True
    pauses: tuple[Pause, ...] = ()
    trial_days: int = 0
    setup_fee: Money | None = None
    deposit: Money | None = None
    billed_until: date | None = None
    generate_days_before: int = 0

    def __post_init__(self) -> None:
        if self.quantity <= ZERO:
            raise InvalidError("invalid_quantity", "A membership's quantity must be more than 0.")
        if not ZERO <= self.discount_percent <= HUNDRED:
            raise InvalidError("invalid_discount", "A discount lies between 0 and 100 per cent.")
        if self.trial_days < 0 or self.generate_days_before < 0:
            raise InvalidError("invalid_days", "Trial days and days before the period cannot be negative.")
        if self.end_date is not None and self.end_date < self.start_date:
            raise InvalidError("invalid_end_date", "A membership cannot end before it starts.")

    @property
    def charged_from(self) -> date:
        """First day that costs something: the start, or the day after the trial (PRO-7)."""
        return self.start_date + timedelta(days=self.trial_days) if self.trial_days else self.start_date


@dataclass(frozen=True, slots=True)
class BillableLine:
    """One line to invoice. ``amount`` is rounded, discounted and before any tax computation, in the plan's tax mode.

    Store ``billed_until`` on the membership when the line is invoiced.
    """

    kind: LineKind
    period: Period
    issue_date: date
    quantity: Decimal
    unit_price: Money
    discount_percent: Decimal
    amount: Money
    used_days: int
    full_days: int
    billed_until: date | None
    explain: str


def billable_lines(terms: MembershipTerms, as_of: date) -> list[BillableLine]:
    """The unbilled lines whose planned invoice date is ``as_of`` or before, in the order of their dates (BIL-9).

    The planned date is the period's first charged day minus ``generate_days_before``, never before the trial's end
    (PRO-7) or ``earliest_issue``. One-off charges come with the first period and are never prorated (PRO-5). A period
    that is paused from end to end has no line (PRO-6).
    """
    first_day = terms.charged_from
    not_before = max(terms.earliest_issue, first_day) if terms.trial_days else terms.earliest_issue
    end = date.max if terms.end_date is None else terms.end_date + ONE_DAY
    if not_before > as_of or first_day >= end:
        return []
    lines: list[BillableLine] = []
    if terms.billed_until is None and (terms.setup_fee or terms.deposit):
        lines.extend(_one_off_lines(terms, first_day, not_before, as_of))
    lines.extend(_period_lines(terms, end, not_before, as_of))
    return lines


def next_issue_date(terms: MembershipTerms) -> date | None:
    """The planned date of the next line that `billable_lines` will ever make; None when nothing is to come."""
    first_day = terms.charged_from
    not_before = max(terms.earliest_issue, first_day) if terms.trial_days else terms.earliest_issue
    end = date.max if terms.end_date is None else terms.end_date + ONE_DAY
    if first_day >= end:
        return None
    day = first_day
    if terms.billed_until is None:
        if terms.setup_fee or terms.deposit:
            return max(first_day - timedelta(days=terms.generate_days_before), not_before)
    elif terms.billed_until > day:
        day = terms.billed_until
    charged = _first_charged_period(terms, day, end)
    return None if charged is None else max(charged - timedelta(days=terms.generate_days_before), not_before)


def _first_charged_period(terms: MembershipTerms, day: date, end: date) -> date | None:
    """The first day of the first period from ``day`` on that is not paused from end to end."""
    while day < end:
        next_day = min(boundary(terms.anchor, period_index(terms.anchor, day) + 1), end)
        if paused_days(Period(day, next_day), terms.pauses) < (next_day - day).days:
            return day
        if any(pause.last_day is None and pause.first_day <= day for pause in terms.pauses):
            return None
        day = next_day
    return None


def _period_lines(terms: MembershipTerms, end: date, not_before: date, as_of: date) -> list[BillableLine]:
    """One line per period from the first unbilled day on, while its planned date has come."""
    anchor, ahead = terms.anchor, timedelta(days=terms.generate_days_before)
    day = terms.charged_from
    if terms.billed_until is not None and terms.billed_until > day:
        day = terms.billed_until
    lines: list[BillableLine] = []
    last_start = as_of + ahead
    if day >= end or day > last_start:
        return lines
    n = period_index(anchor, day)
    full_start = boundary(anchor, n)
    while day < end and day <= last_start:
        n += 1
        full = Period(full_start, boundary(anchor, n))
        part = Period(day, full.end if full.end < end else end)
        line = _period_line(terms, part, full, max(day - ahead, not_before))
        if line is not None:
            lines.append(line)
        full_start = day = full.end
    return lines


def _period_line(terms: MembershipTerms, part: Period, full: Period, issue_date: date) -> BillableLine | None:
    """The charge for ``part`` of the ``full`` period: by days if the plan prorates, else whole unless all is paused."""
    part_days, full_days = part.days, full.days
    paused = paused_days(part, terms.pauses) if terms.pauses else 0
    if paused == part_days:
        return None
    used = part_days - paused if terms.prorate else full_days
    price = terms.price
    amount = line_amount(price.amount_minor, terms.quantity, terms.discount_percent, used, full_days)
    return BillableLine(
        "membership",
        part,
        issue_date,
        terms.quantity,
        price,
        terms.discount_percent,
        Money(amount, price.currency),
        used,
        full_days,
        # A plan that does not prorate has charged the whole period, whatever end date cut it short.
        part.end if terms.prorate else full.end,
        _explain(terms, part_days, used, full_days, paused),
    )


def _explain(terms: MembershipTerms, part_days: int, used: int, full_days: int, paused: int) -> str:
    """Why the amount is what it is, for people: "17 of 28 days"."""
    if used != full_days:
        text = f"{used} of {full_days} days"
    elif part_days != full_days or paused:
        text = f"full {_interval(terms.anchor)}, not prorated"
    else:
        text = f"full {_interval(terms.anchor)}"
    if paused and terms.prorate:
        text += f", {paused} paused"
    if terms.discount_percent:
        text += f", {format(terms.discount_percent.normalize(), 'f')} % off"
    return text


def _interval(anchor: Anchor) -> str:
    return anchor.interval if anchor.count == 1 else f"{anchor.count} {anchor.interval}s"


def _one_off_lines(terms: MembershipTerms, first_day: date, not_before: date, as_of: date) -> list[BillableLine]:
    """Setup fee and deposit, whole and undiscounted, with the first invoice (PRO-5)."""
    issue_date = max(first_day - timedelta(days=terms.generate_days_before), not_before)
    if issue_date > as_of:
        return []
    charges: tuple[tuple[LineKind, Money | None, str], ...] = (
        ("setup_fee", terms.setup_fee, "once, at the start"),
        ("deposit", terms.deposit, "once, refundable"),
    )
    day = Period(first_day, first_day + ONE_DAY)
    return [
        BillableLine(kind, day, issue_date, ONE, price, ZERO, price, 1, 1, None, explain)
        for kind, price, explain in charges
        if price
    ]
