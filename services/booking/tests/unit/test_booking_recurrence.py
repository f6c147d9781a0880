"""Recurring bookings: BOK-4. Wall times are written as naive texts, instants end in Z or an offset."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.domain.intervals import Interval
from booking.domain.recurrence import (
    Occurrence,
    Recurrence,
    Scope,
    expand,
    moved,
    read_exdates,
    split,
    touched,
    without,
)
from common.clock import instant_to_wall, wall_to_instant
from common.errors import InvalidError

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
HOUR = timedelta(hours=1)


def wall_interval(start: str, zone: str, length: timedelta = HOUR) -> Interval:
    wall = datetime.fromisoformat(start)
    return Interval(wall_to_instant(wall, zone), wall_to_instant(wall + length, zone))


def series(
    rrule: str, start: str, zone: str = BERLIN, length: timedelta = HOUR, exdates: tuple[str, ...] = ()
) -> list[Occurrence]:
    recurrence = Recurrence(rrule, read_exdates(exdates, zone))
    return expand(recurrence, wall_interval(start, zone, length), zone)


def walls(occurrences: list[Occurrence], zone: str = BERLIN) -> list[str]:
    return [instant_to_wall(o.interval.start, zone).isoformat(timespec="minutes") for o in occurrences]


def days(occurrences: list[Occurrence]) -> list[str]:
    return [o.wall_start.date().isoformat() for o in occurrences]


def test_bok_4_weekly_keeps_the_wall_time_over_the_clock_change() -> None:
    found = series("FREQ=WEEKLY;COUNT=3", "2027-03-22T09:00")
    assert walls(found) == ["2027-03-22T09:00", "2027-03-29T09:00", "2027-04-05T09:00"]
    assert [o.interval.start.hour for o in found] == [8, 7, 7]


def test_bok_4_month_days_that_do_not_exist_are_skipped() -> None:
    assert days(series("FREQ=MONTHLY;COUNT=4", "2027-01-31T09:00")) == [
        "2027-01-31",
        "2027-03-31",
        "2027-05-31",
        "2027-07-31",
    ]


def test_bok_4_last_day_of_the_month_and_second_tuesday() -> None:
    last = series("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2028-01-31T09:00")
    assert days(last) == ["2028-01-31", "2028-02-29", "2028-03-31"]
    tuesday = series("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", "2027-02-09T09:00")
    assert days(tuesday) == ["2027-02-09", "2027-03-09"]


def test_bok_4_29_february_comes_in_leap_years_only() -> None:
    assert days(series("FREQ=YEARLY;COUNT=3", "2028-02-29T09:00")) == ["2028-02-29", "2032-02-29", "2036-02-29"]


def test_bok_4_a_start_in_a_gap_shifts_forward_by_the_gap_with_the_whole_booking() -> None:
    found = series("FREQ=DAILY;COUNT=3", "2027-03-27T02:30", length=2 * HOUR)
    assert walls(found) == ["2027-03-27T02:30", "2027-03-28T03:30", "2027-03-29T02:30"]
    assert found[1].interval.duration == 2 * HOUR


def test_bok_4_an_overlap_takes_the_first_instant() -> None:
    found = series("FREQ=DAILY;COUNT=2", "2027-10-30T02:30", length=timedelta(minutes=15))
    assert found[1].interval.start == datetime.fromisoformat("2027-10-31T02:30:00+02:00")


def test_bok_4_whole_local_days_stay_whole_local_days() -> None:
    found = series("FREQ=DAILY;COUNT=3", "2027-10-30T00:00", length=timedelta(days=1))
    assert [o.interval.duration // HOUR for o in found] == [24, 25, 24]


@pytest.mark.parametrize("until", ["20270308", "20270308T090000", "20270308T080000Z"])
def test_bok_4_until_is_inclusive_as_a_date_a_wall_time_and_in_utc(until: str) -> None:
    assert days(series(f"FREQ=WEEKLY;UNTIL={until}", "2027-02-22T09:00")) == ["2027-02-22", "2027-03-01", "2027-03-08"]


def test_bok_4_until_just_before_a_date_leaves_it_out() -> None:
    assert len(series("FREQ=WEEKLY;UNTIL=20270308T075959Z", "2027-02-22T09:00")) == 2


@pytest.mark.parametrize("exdate", ["2027-03-01", "2027-03-01T09:00:00", "2027-03-01T08:00:00Z"])
def test_bok_4_exdate_counts_against_count(exdate: str) -> None:
    found = series("FREQ=WEEKLY;COUNT=3", "2027-02-22T09:00", exdates=(exdate,))
    assert days(found) == ["2027-02-22", "2027-03-08"]
    assert [o.number for o in found] == [1, 3]


def test_bok_4_the_first_occurrence_is_the_instant_that_was_asked_for() -> None:
    """Also in the second of two equal wall hours."""
    first = Interval(
        datetime.fromisoformat("2027-10-31T02:30:00+01:00"), datetime.fromisoformat("2027-10-31T03:00:00+01:00")
    )
    assert expand(Recurrence("FREQ=WEEKLY;COUNT=2"), first, BERLIN)[0].interval == first


@pytest.mark.parametrize(
    ("rrule", "code"),
    [
        ("FREQ=WEEKLY", "recurrence_unbounded"),
        ("FREQ=DAILY;COUNT=501", "recurrence_too_long"),
        ("FREQ=HOURLY;UNTIL=20990101", "recurrence_too_long"),
        ("FREQ=MINUTELY;COUNT=2", "recurrence_unsupported"),
        ("FREQ=YEARLY;BYWEEKNO=3;COUNT=2", "recurrence_unsupported"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "recurrence_unsupported"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=2", "recurrence_unsupported"),
        ("FREQ=WEEKLY;BYDAY=1MO;COUNT=2", "recurrence_invalid"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=2", "recurrence_invalid"),
        ("FREQ=WEEKLY;COUNT=0", "recurrence_invalid"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270401", "recurrence_invalid"),
        ("FREQ=WEEKLY;COUNT=2;COUNT=3", "recurrence_invalid"),
        ("FREQ=WEEKLY;UNTIL=20271301", "recurrence_invalid"),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=2", "recurrence_invalid"),
        ("FREQ=WEEKLY;COUNT=2\nEXDATE:20270222T090000", "recurrence_invalid"),
        ("nonsense", "recurrence_invalid"),
        ("", "recurrence_invalid"),
        ("FREQ=WEEKLY;UNTIL=20270101", "recurrence_empty"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "recurrence_empty"),
        ("FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=-31;COUNT=2", "recurrence_empty"),
        ("FREQ=HOURLY;BYMONTH=13;COUNT=2", "recurrence_invalid"),  # looked for in vain for millennia
        ("FREQ=DAILY;BYMONTH=0;COUNT=2", "recurrence_invalid"),
        ("FREQ=DAILY;BYMONTH=-1;COUNT=2", "recurrence_invalid"),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "recurrence_invalid"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,;COUNT=2", "recurrence_invalid"),
        ("FREQ=HOURLY;BYHOUR=25;COUNT=2", "recurrence_invalid"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=400;COUNT=2", "recurrence_invalid"),
        ("FREQ=YEARLY;BYDAY=60MO;COUNT=2", "recurrence_invalid"),
        ("FREQ=MONTHLY;BYDAY=0MO;COUNT=2", "recurrence_invalid"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "recurrence_invalid"),  # beyond the last local year
        ("FREQ=YEARLY;INTERVAL=60;COUNT=3", "recurrence_too_far"),
    ],
)
def test_bok_4_rules_that_are_refused(rrule: str, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        series(rrule, "2027-02-22T09:00")
    assert caught.value.code == code


def test_bok_4_a_booking_longer_than_its_interval_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        series("FREQ=DAILY;COUNT=2", "2027-02-22T09:00", length=timedelta(hours=25))
    assert caught.value.code == "recurrence_overlaps_itself"


@pytest.mark.parametrize("text", ["next week", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_bok_4_exdate_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_exdates([text], BERLIN)
    assert caught.value.code == "exdate_invalid"


def test_bok_4_hourly_names_the_hour_in_the_gap_once() -> None:
    found = series("FREQ=HOURLY;COUNT=4", "2027-03-28T00:00")
    assert walls(found) == ["2027-03-28T00:00", "2027-03-28T01:00", "2027-03-28T03:00"]


def test_bok_4_hourly_over_a_gap_of_half_an_hour_has_a_half_hour_booking() -> None:
    found = series("FREQ=HOURLY;COUNT=4", "2027-10-03T00:00", LORD_HOWE)
    assert walls(found, LORD_HOWE) == [f"2027-10-03T{clock}" for clock in ("00:00", "01:00", "02:30", "03:00")]
    assert found[2].interval.duration == timedelta(minutes=30)


CHANGES = {
    BERLIN: ["2027-03-27", "2027-10-30"],
    NEW_YORK: ["2027-03-13", "2027-11-06"],
    LORD_HOWE: ["2027-10-02", "2027-04-03"],
}


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from(list(CHANGES)),
    change=st.integers(0, 1),
    minute=st.integers(0, 24 * 60 - 1),
    every=st.integers(1, 5),
    length=st.integers(1, 60),
)
def test_bok_4_an_hourly_rule_over_both_clock_changes(
    zone: str, change: int, minute: int, every: int, length: int
) -> None:
    """Strictly in order, never overlapping, on the rule's wall times except inside a gap."""
    start = datetime.fromisoformat(CHANGES[zone][change]) + timedelta(minutes=minute)
    rrule = f"FREQ=HOURLY;INTERVAL={every};COUNT={48 // every}"
    found = series(rrule, start.isoformat(), zone, timedelta(minutes=length * every))
    for earlier, later in pairwise(found):
        assert earlier.interval.end <= later.interval.start
    for occurrence in found:
        assert occurrence.wall_start == start + (occurrence.number - 1) * every * HOUR
        begun = instant_to_wall(occurrence.interval.start, zone)
        assert begun - occurrence.wall_start in {timedelta(0), HOUR, HOUR / 2}
        if begun != occurrence.wall_start:
            assert occurrence.interval.start == wall_to_instant(occurrence.wall_start, zone)
    assert len(found) >= 48 // every - 1


@settings(max_examples=60, deadline=None)
@given(
    rule=st.sampled_from(["DAILY", "WEEKLY;BYDAY=MO,TH", "MONTHLY", "MONTHLY;BYMONTHDAY=31", "YEARLY"]),
    ends=st.sampled_from(["COUNT=9", "UNTIL=20291231", "UNTIL=20280401T070000Z"]),
    left_out=st.sets(st.integers(0, 8), max_size=3),
    at=st.integers(0, 8),
)
def test_bok_4_the_two_sides_of_a_split_are_the_whole(rule: str, ends: str, left_out: set[int], at: int) -> None:
    rrule = f"FREQ={rule};{ends}" if rule != "DAILY" else "FREQ=DAILY;UNTIL=20280401T070000Z"
    first = wall_interval("2028-01-31T09:00", BERLIN)
    whole = expand(Recurrence(rrule), first, BERLIN)
    recurrence = Recurrence(rrule, tuple(whole[n].wall_start for n in left_out if 0 < n < len(whole)))
    kept = expand(recurrence, first, BERLIN)
    edited = kept[at % len(kept)]
    before, rest = split(recurrence, first, edited, BERLIN)
    tail = expand(rest, edited.interval, BERLIN)
    head = expand(before, first, BERLIN) if before else []
    assert [o.interval for o in (*head, *tail)] == [o.interval for o in kept]


def test_bok_4_edits_touch_one_following_or_all() -> None:
    found = series("FREQ=DAILY;COUNT=4", "2027-02-22T09:00")
    assert [o.number for o in touched(found, 2, Scope.THIS)] == [2]
    assert [o.number for o in touched(found, 2, Scope.FOLLOWING)] == [2, 3, 4]
    assert [o.number for o in touched(found, 2, Scope.ALL)] == [1, 2, 3, 4]


def test_bok_4_moving_following_shifts_by_the_wall_clock_also_over_a_change() -> None:
    found = series("FREQ=WEEKLY;COUNT=3", "2027-03-15T09:00")
    after = moved(
        touched(found, 2, Scope.FOLLOWING), found[1], wall_interval("2027-03-23T14:00", BERLIN, 2 * HOUR), BERLIN
    )
    assert walls(after) == ["2027-03-23T14:00", "2027-03-30T14:00"]
    assert {o.interval.duration for o in after} == {2 * HOUR}


def test_bok_4_leaving_one_out_adds_its_wall_time_as_exdate() -> None:
    found = series("FREQ=DAILY;COUNT=3", "2027-02-22T09:00")
    changed = without(Recurrence("FREQ=DAILY;COUNT=3", (date(2027, 2, 22),)), found[2])
    left = expand(changed, found[0].interval, BERLIN)
    assert days(left) == ["2027-02-23"]
