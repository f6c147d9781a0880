"""PRO-1 to PRO-8 and BIL-7: vectors, pauses, settlements, plan changes, earliest end."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidError
from common.money import Money
from invoicing.domain.membership_lines import MembershipTerms
from invoicing.domain.periods import Anchor, Period
from invoicing.domain.plan_changes import change_day, default_timing, plan_change, yearly_amount
from invoicing.domain.proration import (
    BilledPeriod,
    Commitment,
    Pause,
    earliest_end,
    line_amount,
    paused_days,
    prorated,
    settle,
    used_days,
)

JANUARY = Period(date(2027, 1, 1), date(2027, 2, 1))
FEBRUARY = Period(date(2027, 2, 1), date(2027, 3, 1))
LEAP_FEBRUARY = Period(date(2028, 2, 1), date(2028, 3, 1))
SEPTEMBER = Period(date(2027, 9, 1), date(2027, 10, 1))
MARCH = Period(date(2027, 3, 1), date(2027, 4, 1))


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def billed(period: Period, price: int = 30000, *, credited: int = 0, charged: int | None = None) -> BilledPeriod:
    """A full month billed at ``price`` minor units."""
    days = period.days
    charged_days = days if charged is None else charged
    return BilledPeriod(period, days, charged_days, eur(price), Decimal(1), Decimal(0), eur(price), eur(credited))


@pytest.mark.parametrize(
    ("price", "first", "last", "full", "expected"),
    [
        pytest.param(30000, date(2027, 9, 17), None, SEPTEMBER, 14000, id="PRO-3 from 17 Sep"),
        pytest.param(30000, date(2027, 1, 1), date(2027, 1, 20), JANUARY, 19355, id="PRO-3 ending 20 Jan"),
        pytest.param(30000, date(2027, 2, 12), None, FEBRUARY, 18214, id="PRO-3 from 12 Feb 2027"),
        pytest.param(30000, date(2028, 2, 12), None, LEAP_FEBRUARY, 18621, id="PRO-3 from 12 Feb 2028"),
        pytest.param(29900, date(2027, 9, 20), None, SEPTEMBER, 10963, id="PRO-3 299.00 x 11/30"),
    ],
)
def test_vectors_of_pro_3(price: int, first: date, last: date | None, full: Period, expected: int) -> None:
    used = used_days(Period(first, full.end), (), last)
    assert prorated(price, used, full.days) == expected
    assert line_amount(price, Decimal(1), Decimal(0), used, full.days) == expected


def test_price_quantity_discount_and_days_are_rounded_once_mon_2() -> None:
    # 3 x 10.06 x 0.85 x 17/28 = 15.57504; rounding 25.653 to 25.65 on the way would give 15.57.
    assert line_amount(1006, Decimal(3), Decimal(15), 17, 28) == 1558
    assert line_amount(333, Decimal("1.5"), Decimal("33.3"), 1, 1) == 333  # 333.1665
    assert line_amount(-5, Decimal("0.5")) == -3  # halves away from zero


def test_end_date_is_the_last_day_pro_2() -> None:
    assert used_days(JANUARY, (), date(2027, 1, 1)) == 1
    assert used_days(JANUARY, (), date(2027, 1, 31)) == 31
    assert used_days(JANUARY, (), date(2026, 12, 31)) == 0


def test_overlapping_pauses_count_each_day_once_pro_6() -> None:
    pauses = (
        Pause(date(2027, 1, 10), date(2027, 1, 20)),
        Pause(date(2027, 1, 15)),
        Pause(date(2027, 1, 2), date(2027, 1, 2)),
    )
    assert paused_days(JANUARY, pauses) == 23
    assert used_days(JANUARY, pauses) == 8
    with pytest.raises(InvalidError):
        Pause(date(2027, 1, 2), date(2027, 1, 1))


def test_end_before_billed_until_credits_the_unused_days_bil_7() -> None:
    [credit] = settle([billed(JANUARY)], end_date=date(2027, 1, 20))
    assert credit.difference == eur(19355 - 30000)
    assert (credit.used_days, credit.explain) == (20, "11 of 31 days unused")


def test_a_credit_is_capped_at_what_the_line_still_carries_pro_4() -> None:
    [credit] = settle([billed(JANUARY, credited=25000)], end_date=date(2027, 1, 5))
    assert credit.difference == eur(-5000)


def test_goodwill_credit_is_not_charged_again_when_the_member_leaves_pro_4() -> None:
    [credit] = settle([billed(JANUARY, credited=5000)], end_date=date(2027, 1, 20))
    assert credit.difference == eur(19355 - 30000)


def test_settling_twice_changes_nothing_more_bil_7() -> None:
    assert settle([billed(JANUARY, credited=10645, charged=20)], end_date=date(2027, 1, 20)) == []


@settings(max_examples=100)
@given(
    price=st.integers(1, 10**7),
    moves=st.lists(
        st.tuples(st.integers(-3, 31), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=2)),
        min_size=1,
        max_size=6,
    ),
)
def test_charge_and_settlements_add_up_to_the_days_used_bil_7(
    price: int, moves: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    carried, charged, used = price, 31, 31
    for end, spans in moves:
        end_date = JANUARY.start + timedelta(days=end)
        pauses = [
            Pause(JANUARY.start + timedelta(days=begin), JANUARY.start + timedelta(days=begin + length))
            for begin, length in spans
        ]
        for each in settle(
            [billed(JANUARY, price, credited=price - carried, charged=charged)], end_date=end_date, pauses=pauses
        ):
            carried += each.difference.amount_minor
            charged = each.used_days
        used = used_days(JANUARY, pauses, end_date)
        assert charged == used
        assert carried == prorated(price, used, 31)


OLD = MembershipTerms(eur(30000), Anchor(date(2027, 1, 1)), date(2027, 1, 1), date(2027, 1, 1), billed_until=MARCH.end)
NEW = MembershipTerms(eur(45000), Anchor(date(2027, 1, 1)), date(2027, 3, 15), date(2027, 3, 15))


def test_upgrade_credits_the_old_rest_and_charges_the_new_one_pro_4() -> None:
    change = plan_change(NEW.start_date, billed=[billed(MARCH)], old_prorates=True, new=NEW, as_of=date(2027, 3, 10))
    assert [each.difference for each in change.credits] == [eur(-16452)]  # 17/31 of 300.00
    assert [each.amount for each in change.charges] == [eur(24677)]  # 17/31 of 450.00
    assert change.charges[0].period == Period(date(2027, 3, 15), date(2027, 4, 1))
    assert change.net == eur(8225)


def test_the_change_day_itself_belongs_to_the_new_plan_pro_2() -> None:
    change = plan_change(MARCH.start, billed=[billed(MARCH)], old_prorates=True, new=NEW, as_of=MARCH.start)
    assert [each.difference for each in change.credits] == [eur(-30000)]


def test_a_plan_that_does_not_prorate_gives_nothing_back_pro_1() -> None:
    change = plan_change(NEW.start_date, billed=[billed(MARCH)], old_prorates=False, new=NEW, as_of=NEW.start_date)
    assert change.credits == ()
    assert change.net == eur(24677)


def test_upgrades_come_now_and_downgrades_at_the_end_of_the_period_pro_4() -> None:
    assert default_timing(OLD, NEW) == "now"
    assert default_timing(NEW, OLD) == "period_end"
    assert change_day(OLD, "now", date(2027, 3, 10)) == date(2027, 3, 10)
    assert change_day(OLD, "period_end", date(2027, 3, 10)) == date(2027, 4, 1)
    assert change_day(OLD, "period_end", date(2027, 3, 1)) == date(2027, 4, 1)


def test_plans_of_different_intervals_are_compared_by_the_year_pro_4() -> None:
    monthly = yearly_amount(eur(10000), Decimal(1), Decimal(0), Anchor(date(2027, 1, 1)))
    yearly = yearly_amount(eur(240000), Decimal(1), Decimal(50), Anchor(date(2027, 1, 1), "year"))
    weekly = yearly_amount(eur(7000), Decimal(1), Decimal(0), Anchor(date(2027, 1, 1), "week"))
    assert monthly == yearly == 120000
    assert weekly == pytest.approx(365242.5)


@pytest.mark.parametrize(
    ("commitment", "expected"),
    [
        pytest.param(Commitment(), date(2027, 3, 1), id="PRO-8 nothing binds"),
        pytest.param(Commitment(notice_days=30), date(2027, 3, 31), id="PRO-8 notice in days"),
        pytest.param(Commitment(notice_months=1), date(2027, 4, 1), id="PRO-8 notice in months"),
        pytest.param(Commitment(minimum_term_months=3), date(2027, 4, 14), id="PRO-8 term"),
        pytest.param(Commitment(3, 60), date(2027, 4, 30), id="PRO-8 notice later than term"),
        pytest.param(Commitment(6, 30), date(2027, 7, 14), id="PRO-8 term later than notice"),
        pytest.param(Commitment(ends_with_period=True), date(2027, 3, 31), id="PRO-8 end of period"),
        pytest.param(Commitment(3, 30, ends_with_period=True), date(2027, 4, 30), id="PRO-8 all"),
    ],
)
def test_earliest_end_is_the_latest_of_what_binds_pro_8(commitment: Commitment, expected: date) -> None:
    end = earliest_end(date(2027, 1, 15), commitment, requested_on=date(2027, 3, 1), anchor=Anchor(date(2027, 1, 1)))
    assert end == expected


def test_a_membership_that_has_not_begun_keeps_its_first_day_pro_8() -> None:
    start = date(2027, 5, 1)
    assert earliest_end(start, Commitment(), requested_on=date(2027, 3, 1), anchor=Anchor(start)) == start
