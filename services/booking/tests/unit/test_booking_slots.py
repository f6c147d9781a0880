"""Intervals, opening hours and free times: BOK-1 and BOK-3."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.domain.intervals import Interval, covers, merged, subtracted
from booking.domain.opening_hours import WEEKDAYS, Closure, LocationCalendar, OpeningHours
from booking.domain.slots import BookableResource, Busy, availability, free_intervals, loads
from common.errors import InvalidError

BERLIN = "Europe/Berlin"
DAY = datetime(2027, 2, 15, tzinfo=UTC)
EVERY_DAY = {day: [["08:00", "18:00"]] for day in WEEKDAYS}


def between(start: float, end: float) -> Interval:
    """Hours of a Monday, UTC."""
    return Interval(DAY + timedelta(hours=start), DAY + timedelta(hours=end))


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        ((8, 9), False),  # ends where it begins
        ((8, 9.5), True),  # over its start
        ((9, 10), True),  # the same
        ((9.2, 9.8), True),  # inside
        ((8, 11), True),  # around
        ((9.5, 11), True),  # over its end
        ((10, 11), False),  # begins where it ends
    ],
)
def test_bok_1_adjacent_bookings_do_not_clash(other: tuple[float, float], clash: bool) -> None:
    assert between(9, 10).overlaps(between(*other)) is clash
    assert between(*other).overlaps(between(9, 10)) is clash


def test_an_interval_without_duration_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        between(9, 9)
    assert caught.value.code == "end_not_after_start"


def test_intervals_merge_when_they_touch_and_subtract() -> None:
    assert merged([between(10, 11), between(8, 9), between(9, 9.5)]) == [between(8, 9.5), between(10, 11)]
    assert subtracted([between(8, 18)], [between(7, 9), between(12, 13), between(17, 19)]) == [
        between(9, 12),
        between(13, 17),
    ]
    assert covers([between(8, 9), between(9, 10)], between(8.5, 9.5))


MINUTES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda p: between(p[0] / 60, (p[0] + p[1]) / 60)), max_size=8
)


@given(whole=MINUTES, taken=MINUTES)
def test_subtracting_keeps_exactly_the_moments_outside(whole: list[Interval], taken: list[Interval]) -> None:
    left = subtracted(whole, taken)
    for minute in range(100):
        moment = between(minute / 60, (minute + 1) / 60)
        expected = any(i.overlaps(moment) for i in whole) and not any(i.overlaps(moment) for i in taken)
        assert any(i.overlaps(moment) for i in left) is expected
    assert left == merged(left)


UNITS_TAKEN = st.lists(
    st.builds(
        lambda at, length, first, more: Busy(between(at / 60, (at + length) / 60), first, first + more),
        at=st.integers(0, 30),
        length=st.integers(1, 20),
        first=st.integers(1, 4),
        more=st.sampled_from([0, 0, 0, 1, 3]),
    ),
    max_size=8,
)


@given(busy=UNITS_TAKEN, capacity=st.integers(1, 6), wanted=st.integers(1, 3))
def test_bok_1_a_time_is_free_when_so_many_units_are_free_throughout(
    busy: list[Busy], capacity: int, wanted: int
) -> None:
    rows = [Busy(row.interval, row.first, min(row.last, capacity)) for row in busy if row.first <= capacity]
    free = free_intervals([between(0, 0.5)], rows, capacity, wanted)
    for start in range(30):
        for end in range(start + 1, 31):
            asked = between(start / 60, end / 60)
            taken = {unit for row in rows if row.interval.overlaps(asked) for unit in range(row.first, row.last + 1)}
            assert any(interval.contains(asked) for interval in free) is (capacity - len(taken) >= wanted)
    assert all(not one.contains(two) for one in free for two in free if one is not two)


@given(busy=UNITS_TAKEN)
def test_loads_are_the_units_taken_at_a_moment(busy: list[Busy]) -> None:
    stretches = loads(busy)
    for minute in range(60):
        moment = between(minute / 60, (minute + 1) / 60)
        taken = sum(row.units for row in busy if row.interval.overlaps(moment))
        assert sum(load.units for load in stretches if load.interval.overlaps(moment)) == taken
    assert all(load.units > 0 for load in stretches)


def test_bok_1_two_half_free_units_are_no_free_time() -> None:
    busy = [Busy(between(9, 10), 1, 1), Busy(between(10, 11), 2, 2)]
    assert free_intervals([between(8, 12)], busy, 2) == [between(8, 10), between(10, 12)]
    assert free_intervals([between(8, 12)], busy, 3) == [between(8, 12)]
    assert free_intervals([between(8, 12)], busy, 2, wanted=2) == [between(8, 9), between(11, 12)]


def test_bok_3_opening_hours_follow_the_wall_clock_over_a_change() -> None:
    calendar = LocationCalendar.from_document(BERLIN, EVERY_DAY)
    before, after = calendar.open_on(date(2027, 3, 27)), calendar.open_on(date(2027, 3, 28))
    assert [i.start.hour for i in (*before, *after)] == [7, 6]


def test_bok_3_round_the_clock_is_one_interval_of_23_hours_in_spring() -> None:
    calendar = LocationCalendar.from_document(BERLIN, {"sun": [["00:00", "24:00"]]})
    assert [i.duration for i in calendar.open_on(date(2027, 3, 28))] == [timedelta(hours=23)]
    night = LocationCalendar.from_document(BERLIN, {"sun": [["02:00", "03:00"]]})
    assert night.open_on(date(2027, 3, 28)) == []


def test_bok_3_a_location_without_hours_is_always_open() -> None:
    window = between(0, 48)
    assert LocationCalendar.from_document(BERLIN, {}).open_during(window) == [window]


def test_bok_3_closures_take_whole_days_or_parts_of_them() -> None:
    closures = [{"start": "2027-02-16", "end": "2027-02-17"}, {"date": "2027-02-15", "from_time": "12:00"}]
    calendar = LocationCalendar.from_document("UTC", EVERY_DAY, closures)
    assert calendar.open_during(between(0, 24 * 4)) == [between(8, 12), between(24 * 3 + 8, 24 * 3 + 18)]
    assert calendar.is_closed_by_closure(between(11, 12)) is None
    assert calendar.is_closed_by_closure(between(11, 13)) == calendar.closures[1]


@pytest.mark.parametrize(
    "document",
    [
        {"monday": [["08:00", "18:00"]]},
        {"mon": [["8", "18:00"]]},
        {"mon": [["18:00", "08:00"]]},
        {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]},
        {"mon": [["08:00"]]},
        {"mon": [["08:00", "25:00"]]},
    ],
)
def test_malformed_opening_hours_are_refused(document: dict[str, list[list[str]]]) -> None:
    with pytest.raises(InvalidError) as caught:
        OpeningHours.from_document(document)
    assert caught.value.code == "opening_hours_invalid"


@pytest.mark.parametrize("document", [{}, {"start": "x"}, {"start": "2027-02-16", "end": "2027-02-15"}])
def test_malformed_closures_are_refused(document: dict[str, str]) -> None:
    with pytest.raises(InvalidError) as caught:
        Closure.from_document(document)
    assert caught.value.code == "closure_invalid"


def test_availability_of_many_resources_with_capacity_and_buffers() -> None:
    calendar = LocationCalendar.from_document("UTC", EVERY_DAY)
    room, desks, idle = UUID(int=1), UUID(int=2), UUID(int=3)
    quarter = timedelta(minutes=15)
    resources = [
        BookableResource(room, calendar, buffer_before=quarter),
        BookableResource(desks, calendar, capacity=2),
        BookableResource(idle, calendar),
    ]
    busy = {
        room: [Busy(between(9, 10))],
        desks: [Busy(between(9, 11), 1, 1), Busy(between(10, 12), 2, 2)],
    }
    found = availability(resources, busy, between(0, 24))
    assert [a.resource_id for a in found] == [room, desks, idle]
    assert found[0].free == (between(8, 9), between(10.25, 18))
    assert found[0].busy == (between(9, 10),)
    assert found[1].free == (between(8, 10), between(11, 18))
    assert found[2].free == (between(8, 18),)
