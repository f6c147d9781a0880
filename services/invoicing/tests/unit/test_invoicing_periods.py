"""BIL-1, BIL-2: periods are counted from the stored anchor and tile."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidError
from invoicing.domain.periods import (
    Anchor,
    Interval,
    Period,
    boundary,
    choose_anchor,
    period_containing,
    period_index,
    periods_between,
    periods_from,
)
from invoicing.domain.run_days import item_issue_date, next_run_day

days = st.dates(date(2023, 1, 1), date(2033, 12, 31))
intervals = st.sampled_from(["week", "month", "year"])
counts = st.integers(1, 14)


def test_anchor_31_falls_on_the_last_day_of_shorter_months_bil_2() -> None:
    anchor = Anchor(date(2027, 1, 31))
    assert [boundary(anchor, n) for n in range(4)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]


def test_anchor_31_meets_29_february_in_a_leap_year_bil_2() -> None:
    assert boundary(Anchor(date(2028, 1, 31)), 1) == date(2028, 2, 29)


def test_yearly_anchor_on_29_february_returns_to_it_bil_2() -> None:
    anchor = Anchor(date(2028, 2, 29), "year")
    assert [boundary(anchor, n) for n in (1, 4)] == [date(2029, 2, 28), date(2032, 2, 29)]


def test_weeks_and_quarters_bil_2() -> None:
    assert boundary(Anchor(date(2027, 2, 12), "week", 2), 3) == date(2027, 3, 26)
    assert period_containing(Anchor(date(2026, 11, 30), "month", 3), date(2027, 3, 1)) == Period(
        date(2027, 2, 28), date(2027, 5, 30)
    )


@pytest.mark.parametrize("day", range(1, 32))
@pytest.mark.parametrize("months", [1, 2, 3, 6, 12])
def test_periods_tile_for_every_anchor_day_bil_2(day: int, months: int) -> None:
    anchor = Anchor(date(2027, 1, day), "month", months)
    tiles = list(islice(periods_from(anchor, date(2026, 12, 5)), 60))
    assert all(before.end == after.start for before, after in pairwise(tiles))
    assert all(tile.days > 0 for tile in tiles)
    assert sum(tile.days for tile in tiles) == (tiles[-1].end - tiles[0].start).days


@settings(max_examples=150)
@given(start=days, interval=intervals, count=counts, day=days)
def test_each_day_lies_in_exactly_the_period_of_its_index_bil_2(
    start: date, interval: Interval, count: int, day: date
) -> None:
    anchor = Anchor(start, interval, count)
    n = period_index(anchor, day)
    assert boundary(anchor, n) <= day < boundary(anchor, n + 1)
    assert day in period_containing(anchor, day)


@settings(max_examples=60)
@given(start=days, interval=intervals, count=counts, since=days, length=st.integers(0, 900))
def test_periods_between_cover_the_span_and_no_more_bil_2(
    start: date, interval: Interval, count: int, since: date, length: int
) -> None:
    until = since + timedelta(days=length)
    tiles = list(periods_between(Anchor(start, interval, count), since, until))
    if not length:
        assert tiles == []
        return
    assert tiles[0].start <= since < tiles[0].end
    assert tiles[-1].start < until <= tiles[-1].end
    assert all(before.end == after.start for before, after in pairwise(tiles))


def test_first_of_month_realigns_a_start_within_the_month_bil_1() -> None:
    anchor = choose_anchor(date(2027, 2, 12), "month", period_start="first_of_month")
    assert period_containing(anchor, date(2027, 2, 12)) == Period(date(2027, 2, 1), date(2027, 3, 1))


def test_membership_start_counts_from_its_first_day_bil_1() -> None:
    anchor = choose_anchor(date(2027, 2, 12), "month", period_start="membership_start")
    assert period_containing(anchor, date(2027, 2, 12)) == Period(date(2027, 2, 12), date(2027, 3, 12))


def test_weekly_plans_count_from_their_first_day_whatever_the_setting_bil_1() -> None:
    anchor = choose_anchor(date(2027, 2, 12), "week", period_start="first_of_month", billing_day=3)
    assert anchor == Anchor(date(2027, 2, 12), "week")


@settings(max_examples=150)
@given(first=days, billing_day=st.integers(1, 31), interval=st.sampled_from(["month", "year"]), count=counts)
def test_a_billing_day_is_kept_in_every_month_that_has_it_bil_1(
    first: date, billing_day: int, interval: Interval, count: int
) -> None:
    anchor = choose_anchor(first, interval, count, period_start="membership_start", billing_day=billing_day)
    index = period_index(anchor, first)
    assert (first - boundary(anchor, index)).days <= 31
    for n in range(index, index + 14):
        start = boundary(anchor, n)
        last_of_month = (start + timedelta(days=1)).day == 1
        assert start.day == billing_day or (start.day < billing_day and last_of_month)


def test_billing_day_31_from_april_still_reaches_31_may_bil_1() -> None:
    anchor = choose_anchor(date(2027, 5, 15), "month", period_start="first_of_month", billing_day=31)
    assert period_containing(anchor, date(2027, 5, 15)) == Period(date(2027, 4, 30), date(2027, 5, 31))


def test_impossible_anchors_are_refused() -> None:
    with pytest.raises(InvalidError, match="at least 1"):
        Anchor(date(2027, 1, 1), "month", 0)
    with pytest.raises(InvalidError, match="1 and 31"):
        choose_anchor(date(2027, 1, 1), "month", period_start="first_of_month", billing_day=32)


FIRST = Anchor(date(2027, 1, 1))


def test_usage_in_february_is_invoiced_on_1_march_bil_1() -> None:
    day = date(2027, 2, 15)
    assert item_issue_date(FIRST, dated=day, created_on=day) == date(2027, 3, 1)


def test_usage_on_the_day_of_a_run_goes_to_the_next_run_bil_3() -> None:
    day = date(2027, 3, 1)
    assert item_issue_date(FIRST, dated=day, created_on=day) == date(2027, 4, 1)


def test_with_days_before_what_arises_after_the_run_goes_to_the_next_bil_3() -> None:
    assert next_run_day(FIRST, date(2027, 2, 23), 5) == date(2027, 2, 24)
    day = date(2027, 2, 25)
    assert item_issue_date(FIRST, dated=day, created_on=day, generate_days_before=5) == date(2027, 3, 27)


def test_a_late_entry_of_old_usage_joins_the_next_run_bil_3() -> None:
    assert item_issue_date(FIRST, dated=date(2027, 1, 15), created_on=date(2027, 3, 9)) == date(2027, 4, 1)


def test_a_fee_flagged_in_advance_joins_the_first_run_after_it_is_made_bil_1() -> None:
    day = item_issue_date(FIRST, dated=date(2027, 6, 20), created_on=date(2027, 2, 15), in_advance=True)
    assert day == date(2027, 3, 1)
