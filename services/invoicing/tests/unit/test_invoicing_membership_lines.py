"""What a membership owes up to a day: BIL-1 to BIL-9, PRO-1 to PRO-7."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidError
from common.money import Money
from invoicing.domain.membership_lines import MembershipTerms, billable_lines
from invoicing.domain.periods import Anchor, Interval, Period, PeriodStart, choose_anchor, periods_between
from invoicing.domain.proration import ONE_DAY, Pause, prorated, used_days

START = date(2027, 2, 12)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def flex_desk(
    start: date = START, period_start: PeriodStart = "first_of_month", trial_days: int = 0
) -> MembershipTerms:
    """300.00 a month, prorating, made on its first day."""
    anchor = choose_anchor(start + timedelta(days=trial_days), "month", period_start=period_start)
    return MembershipTerms(eur(30000), anchor, start, start, trial_days=trial_days)


def test_the_story_bills_17_of_28_days_then_full_months_bil_9() -> None:
    lines = billable_lines(flex_desk(), date(2027, 3, 10))
    assert [(line.issue_date, line.amount, line.explain) for line in lines] == [
        (date(2027, 2, 12), eur(18214), "17 of 28 days"),
        (date(2027, 3, 1), eur(30000), "full month"),
    ]
    assert lines[0].period == Period(date(2027, 2, 12), date(2027, 3, 1))
    assert lines[-1].billed_until == date(2027, 4, 1)


def test_what_is_billed_is_not_billed_again_bil_4() -> None:
    terms = flex_desk()
    last = billable_lines(terms, date(2027, 3, 10))[-1]
    assert billable_lines(replace(terms, billed_until=last.billed_until), date(2027, 3, 31)) == []


def test_the_invoice_is_planned_days_before_the_period_but_not_before_the_membership_bil_3() -> None:
    terms = replace(flex_desk(), generate_days_before=5)
    assert [line.issue_date for line in billable_lines(terms, date(2027, 2, 24))] == [START, date(2027, 2, 24)]
    assert len(billable_lines(terms, date(2027, 2, 23))) == 1
    assert billable_lines(terms, START - ONE_DAY) == []


def test_downtime_is_caught_up_with_the_planned_dates_bil_9() -> None:
    late = billable_lines(flex_desk(), date(2027, 6, 20))
    assert [line.issue_date.month for line in late] == [2, 3, 4, 5, 6]


def test_no_invoice_before_the_trial_ends_and_the_anchor_is_its_end_pro_7() -> None:
    terms = replace(flex_desk(period_start="membership_start", trial_days=14), generate_days_before=7)
    assert billable_lines(terms, date(2027, 2, 25)) == []
    [line] = billable_lines(terms, date(2027, 2, 26))
    assert line.period == Period(date(2027, 2, 26), date(2027, 3, 26))
    assert (line.amount, line.issue_date) == (eur(30000), date(2027, 2, 26))


def test_after_a_trial_a_fixed_billing_day_prorates_pro_7() -> None:
    [line] = billable_lines(flex_desk(trial_days=14), date(2027, 2, 26))
    assert (line.explain, line.amount) == ("3 of 28 days", eur(3214))


def test_leaving_within_the_trial_costs_nothing_pro_7() -> None:
    terms = replace(flex_desk(trial_days=14), end_date=date(2027, 2, 25), setup_fee=eur(5000), deposit=eur(9000))
    assert billable_lines(terms, date(2027, 6, 1)) == []


def test_setup_fee_and_deposit_come_once_and_whole_pro_5() -> None:
    terms = replace(flex_desk(), setup_fee=eur(5000), deposit=eur(60000), discount_percent=Decimal(10))
    lines = billable_lines(terms, START)
    assert [(line.kind, line.amount) for line in lines] == [
        ("setup_fee", eur(5000)),
        ("deposit", eur(60000)),
        ("membership", eur(16393)),
    ]
    assert lines[-1].explain == "17 of 28 days, 10 % off"
    again = billable_lines(replace(terms, billed_until=lines[-1].billed_until), date(2027, 3, 1))
    assert [line.kind for line in again] == ["membership"]


def test_a_plan_that_does_not_prorate_charges_whole_periods_once_pro_1() -> None:
    terms = replace(flex_desk(), prorate=False, end_date=date(2027, 3, 5))
    lines = billable_lines(terms, date(2027, 5, 1))
    assert [line.amount for line in lines] == [eur(30000), eur(30000)]
    assert lines[0].explain == "full month, not prorated"
    # Staying longer after all: March was charged whole, so billing goes on in April.
    stays = replace(terms, end_date=None, billed_until=lines[-1].billed_until)
    assert [line.period.start for line in billable_lines(stays, date(2027, 4, 1))] == [date(2027, 4, 1)]


def test_paused_days_leave_the_period_and_paused_periods_the_invoice_pro_6() -> None:
    terms = replace(flex_desk(date(2027, 1, 1)), pauses=(Pause(date(2027, 2, 15), date(2027, 4, 10)),))
    lines = billable_lines(terms, date(2027, 4, 30))
    assert [(line.period.start.month, line.used_days, line.explain) for line in lines] == [
        (1, 31, "full month"),
        (2, 14, "14 of 28 days, 14 paused"),
        (4, 20, "20 of 30 days, 10 paused"),
    ]


def test_quantity_multiplies_before_rounding_mon_2() -> None:
    [line] = billable_lines(replace(flex_desk(), quantity=Decimal("2.5")), START)
    assert line.amount == eur(45536)  # 750.00 x 17/28 = 455.357…


def test_zero_price_makes_a_line_of_zero_bil_6() -> None:
    [line] = billable_lines(replace(flex_desk(), price=eur(0)), START)
    assert line.amount == eur(0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": Decimal(0)},
        {"discount_percent": Decimal(101)},
        {"trial_days": -1},
        {"end_date": START - ONE_DAY},
    ],
)
def test_impossible_terms_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        replace(flex_desk(), **wrong)  # type: ignore[arg-type]


pauses = st.lists(st.tuples(st.integers(-40, 500), st.integers(0, 90)), max_size=3)


@settings(max_examples=120)
@given(
    start=st.dates(date(2027, 1, 1), date(2028, 12, 31)),
    billing_day=st.one_of(st.none(), st.integers(1, 31)),
    interval=st.sampled_from(["week", "month", "year"]),
    count=st.integers(1, 3),
    length=st.one_of(st.none(), st.integers(0, 500)),
    spans=pauses,
    runs=st.lists(st.integers(0, 500), min_size=1, max_size=5),
    before=st.integers(0, 40),
)
def test_any_sequence_of_runs_bills_exactly_the_days_used_bil_2(
    start: date,
    billing_day: int | None,
    interval: Interval,
    count: int,
    length: int | None,
    spans: list[tuple[int, int]],
    runs: list[int],
    before: int,
) -> None:
    """Lines never overlap, each amount is its days' share, one late run equals many, a second run is empty."""
    anchor = choose_anchor(start, interval, count, period_start="membership_start", billing_day=billing_day)
    terms = MembershipTerms(
        eur(29900),
        anchor,
        start,
        start,
        end_date=None if length is None else start + timedelta(days=length),
        pauses=tuple(
            Pause(start + timedelta(days=begin), start + timedelta(days=begin + days)) for begin, days in spans
        ),
        generate_days_before=before,
    )
    ends = sorted(start + timedelta(days=run) for run in runs)
    lines, state = [], terms
    for as_of in ends:
        new = billable_lines(state, as_of)
        lines += new
        if new:
            state = replace(state, billed_until=new[-1].billed_until)
        assert billable_lines(state, as_of) == []
    assert lines == billable_lines(terms, ends[-1])
    horizon = ends[-1] + timedelta(days=before + 1)
    expected = [
        (tile.start, used, prorated(29900, used, tile.days))
        for tile in periods_between(anchor, start, horizon)
        if max(tile.start, start) < horizon
        and (used := used_days(Period(max(tile.start, start), tile.end), terms.pauses, terms.end_date))
    ]
    assert [(max(s, start), u, a) for s, u, a in expected] == [
        (line.period.start, line.used_days, line.amount.amount_minor) for line in lines
    ]


def test_the_anchor_itself_is_never_moved_by_billing_bil_2() -> None:
    terms = MembershipTerms(eur(30000), Anchor(date(2027, 1, 31)), date(2027, 1, 31), date(2027, 1, 31))
    lines = billable_lines(terms, date(2027, 5, 1))
    assert [line.period.start for line in lines] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]
    assert {line.explain for line in lines} == {"full month"}
