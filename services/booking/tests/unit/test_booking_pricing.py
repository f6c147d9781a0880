"""Prices of bookings: PRI-1 to PRI-5, and the credits that pay for them (CRD-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.domain.intervals import Interval
from booking.domain.opening_hours import WEEKDAYS, LocationCalendar
from booking.domain.price_snapshot import Price
from booking.domain.pricing import ExtraOrder, PriceRequest, price_booking
from booking.domain.rates import (
    Audience,
    Buyer,
    Conditions,
    Extra,
    Rate,
    RatePrice,
    Unit,
    When,
    is_offered,
    prices_on,
)
from common.clock import wall_to_instant
from common.errors import InvalidError
from common.money import Money, round_half_up

ROOM = UUID(int=1)
BERLIN = "Europe/Berlin"
WORKDAYS = {day: [["08:00", "18:00"]] for day in WEEKDAYS[:5]}  # 10 business hours
MONDAY = "2027-02-15T"


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def rate(*prices: tuple[str, int] | tuple[str, int, str], number: int = 7, **fields: Any) -> Rate:
    made = [RatePrice(Unit(p[0]), eur(p[1]), When(p[2] if len(p) == 3 else "any")) for p in prices]
    return Rate(UUID(int=number), 1, fields.pop("name", "Rooms"), tuple(made), **fields)


def quote(rates: Rate | Sequence[Rate], start: str, hours: Decimal | float | int, **fields: Any) -> Price:
    zone = fields.pop("zone", BERLIN)
    begin = wall_to_instant(datetime.fromisoformat(start), zone)
    request = PriceRequest(
        interval=Interval(begin, begin + timedelta(minutes=int(Decimal(str(hours)) * 60))),
        resource_id=ROOM,
        resource_type="meeting_room",
        calendar=LocationCalendar.from_document(zone, fields.pop("opening_hours", WORKDAYS)),
        rates=[rates] if isinstance(rates, Rate) else rates,
        currency="EUR",
        **fields,
    )
    return price_booking(request)


HOURLY_AND_DAY = rate(("hour", 1500), ("day", 5000))


@pytest.mark.parametrize(("hours", "total"), [(3, 4500), (4, 5000), (26, 8000), (48, 10000)])
def test_pri_3_hourly_15_and_day_50(hours: int, total: int) -> None:
    assert quote(HOURLY_AND_DAY, MONDAY + "08:00", hours).total == eur(total)


@pytest.mark.parametrize(("hours", "total"), [(3, 5400), (4, 6000), (5, 6000), (6, 7800), (10, 12000)])
def test_pri_3_half_day_is_half_of_the_business_hours(hours: int, total: int) -> None:
    assert quote(rate(("hour", 1800), ("half_day", 6000)), MONDAY + "08:00", hours).total == eur(total)


def test_pri_3_half_day_on_a_closed_weekday_has_the_length_of_an_open_one() -> None:
    assert quote(rate(("half_day", 6000)), "2027-02-14T10:00", 5).total == eur(6000)


def test_pri_3_week_and_month_are_168_and_720_hours() -> None:
    prices = rate(("hour", 1000), ("day", 5000), ("week", 20000), ("month", 60000))
    assert quote(prices, MONDAY + "00:00", 168).total == eur(20000)
    assert quote(prices, MONDAY + "00:00", 169).total == eur(21000)
    assert quote(prices, "2027-04-01T00:00", 720).total == eur(60000)
    assert quote(prices, "2027-04-01T00:00", 744).total == eur(65000)


@pytest.mark.parametrize(
    ("minutes", "billed", "total"), [(1, 15, 375), (15, 15, 375), (16, 30, 750), (50, 60, 1500), (61, 75, 1875)]
)
def test_pri_2_duration_is_rounded_up_to_the_charge_slot(minutes: int, billed: int, total: int) -> None:
    price = quote(rate(("hour", 1500)), MONDAY + "09:00", Decimal(minutes) / 60 + Decimal("0.0001"))
    assert (price.billed_minutes, price.total) == (billed, eur(total))


def test_pri_2_a_slot_that_follows_a_half_day_is_charged_whole() -> None:
    """Nine business hours, slots of one hour: 5 hours are a half-day of 4.5 hours and one slot."""
    hours = {"mon": [["09:00", "18:00"]]}
    prices = rate(("hour", 2000), ("half_day", 3000), charge_slot_minutes=60)
    assert quote(prices, MONDAY + "09:00", 5, opening_hours=hours).total == eur(5000)


@pytest.mark.parametrize(("start", "elapsed"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-10-30", 24)])
def test_pri_2_a_local_day_of_23_or_25_hours_is_one_day(start: str, elapsed: int) -> None:
    assert quote(rate(("day", 5000)), f"{start}T00:00", elapsed).total == eur(5000)


@pytest.mark.parametrize(("start", "elapsed"), [("2027-03-28", 1), ("2027-10-31", 3)])
def test_pri_2_hourly_prices_count_elapsed_time_over_a_clock_change(start: str, elapsed: int) -> None:
    """From 01:30 to 03:30 by the wall clock on the days when the clocks change."""
    assert quote(rate(("hour", 1000)), f"{start}T01:30", elapsed).total == eur(1000 * elapsed)


def test_pri_4_off_hours_begin_when_the_location_closes() -> None:
    price = quote(rate(("hour", 1500), ("hour", 1000, "off_hours")), MONDAY + "16:30", 3)
    assert price.total == eur(2250 + 1500)
    assert [(line.quantity, line.net) for line in price.lines] == [
        (Decimal("1.5"), eur(2250)),
        (Decimal("1.5"), eur(1500)),
    ]
    assert price.slices[0].end == datetime(2027, 2, 15, 17, tzinfo=UTC)


def test_pri_4_a_slot_over_a_boundary_is_split_by_the_minute() -> None:
    prices = rate(("hour", 1500), ("hour", 1000, "off_hours"), charge_slot_minutes=60)
    assert quote(prices, MONDAY + "17:30", 1).total == eur(750 + 500)


def test_pri_4_a_day_at_any_time_runs_through_off_hours() -> None:
    prices = rate(("hour", 1500), ("hour", 1000, "off_hours"), ("day", 5000))
    assert quote(prices, MONDAY + "09:00", 24).total == eur(5000)


def test_pri_4_weekend_goes_before_off_hours_and_ends_on_sunday_midnight() -> None:
    prices = rate(("hour", 1500), ("hour", 1000, "off_hours"), ("hour", 700, "weekend"))
    assert quote(prices, "2027-02-14T23:00", 2).total == eur(700 + 1000)


def test_pri_4_a_weekend_day_does_not_reach_into_monday() -> None:
    prices = rate(("day", 5000), ("day", 2000, "weekend"))
    assert quote(prices, "2027-02-14T12:00", 24).total == eur(2000 + 5000)


def test_pri_4_a_rate_for_the_resource_wins_over_one_for_its_type() -> None:
    for_type = rate(("hour", 1000), number=9, resource_types=frozenset({"meeting_room"}))
    for_room = rate(("hour", 2000), number=8, resource_ids=frozenset({ROOM}))
    elsewhere = rate(("hour", 1), number=10, resource_ids=frozenset({UUID(int=2)}))
    assert quote([for_type, for_room, elsewhere], MONDAY + "09:00", 1).total == eur(2000)


def test_pri_4_member_wins_over_plan_over_audience() -> None:
    member, plan = UUID(int=20), UUID(int=21)
    rates = [
        rate(("hour", 4000), number=1),
        rate(("hour", 3000), number=2, conditions=Conditions(audience=Audience.MEMBERS)),
        rate(("hour", 2000), number=3, conditions=Conditions(plan_ids=frozenset({plan}))),
        rate(("hour", 1000), number=4, conditions=Conditions(member_ids=frozenset({member}))),
        rate(("hour", 5000), number=5, conditions=Conditions(audience=Audience.PUBLIC)),
    ]
    buyers = [
        Buyer(member, plan_ids=frozenset({plan})),
        Buyer(UUID(int=22), plan_ids=frozenset({plan})),
        Buyer(UUID(int=22)),
        Buyer(),
    ]
    totals = [quote(rates, MONDAY + "09:00", 1, buyer=buyer).total.amount_minor for buyer in buyers]
    assert totals == [1000, 2000, 3000, 5000]


def test_pri_4_a_date_range_ends_with_its_last_local_day() -> None:
    fair = rate(
        ("hour", 9000), number=2, conditions=Conditions(valid_from=date(2027, 2, 15), valid_until=date(2027, 2, 15))
    )
    price = quote([rate(("hour", 1000), number=1), fair], MONDAY + "23:00", 2)
    assert price.total == eur(9000 + 1000)
    assert [part.rate_id for part in price.slices] == [UUID(int=2), UUID(int=1)]


def test_no_rate_for_some_of_the_time_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        quote(rate(("hour", 1000, "off_hours")), MONDAY + "17:00", 2)
    assert caught.value.code == "no_rate"


def test_pri_5_extras_with_quantity_are_not_discounted() -> None:
    prices = rate(("hour", 1000), extras=(Extra("lunch", "Lunch", eur(1250)),))
    price = quote(
        prices, MONDAY + "09:00", 2, extras=(ExtraOrder("lunch", Decimal(3)),), discount_percent=Decimal("12.5")
    )
    assert [line.net for line in price.lines] == [eur(2000), eur(-250), eur(3750)]
    assert price.total == eur(5500)


def test_pri_5_extras_cost_what_the_rate_of_the_day_says() -> None:
    summer = Conditions(valid_from=date(2026, 6, 1), valid_until=date(2026, 8, 31))
    coffee = Extra("coffee", "Coffee", eur(900))
    season = rate(("hour", 3000), number=2, conditions=summer, extras=(coffee, Extra("ice", "Ice", eur(300))))
    rates = [season, rate(("hour", 1000), extras=(replace(coffee, price=eur(450)),))]
    price = quote(rates, MONDAY + "09:00", 1, extras=(ExtraOrder("coffee", Decimal(2)),))
    assert [line.net for line in price.lines] == [eur(1000), eur(900)]
    with pytest.raises(InvalidError, match="no extra called 'ice'"):
        quote(rates, MONDAY + "09:00", 1, extras=(ExtraOrder("ice"),))


def test_pri_5_unknown_extra_is_refused() -> None:
    with pytest.raises(InvalidError, match="no extra called 'x'"):
        quote(HOURLY_AND_DAY, MONDAY + "09:00", 1, extras=(ExtraOrder("x"),))


def test_pri_5_custom_price_free_resource_and_waiver() -> None:
    prices = rate(("hour", 1000), extras=(Extra("lunch", "Lunch", eur(1250)),))
    lunch = (ExtraOrder("lunch"),)
    assert quote(prices, MONDAY + "09:00", 2, extras=lunch, custom_price=eur(999)).total == eur(999 + 1250)
    assert quote([], MONDAY + "09:00", 2, is_free=True).total == eur(0)
    waived = quote(prices, MONDAY + "09:00", 2, extras=lunch, waived=True)
    assert (waived.total, waived.lines) == (eur(0), ())


def test_pri_1_snapshot_survives_storage_and_explains_itself() -> None:
    taxed = rate(("hour", 1500), ("day", 5000), tax_percent=Decimal(19), prices_include_tax=False)
    price = quote(taxed, MONDAY + "08:00", 26, discount_percent=Decimal(10))
    assert Price.from_document(price.as_document()) == price
    assert price.explain == (
        "Rate: Rooms.",
        "1 day × 50.00 EUR = 50.00 EUR.",
        "2 hours × 15.00 EUR = 30.00 EUR.",
        "By the hour it would be 390.00 EUR.",
        "Discount 10 %: -8.00 EUR.",
        "Total: 72.00 EUR.",
    )


@pytest.mark.parametrize(("hours", "used"), [(24, "24"), (5, "5"), ("0.5", "0.5")])
def test_crd_2_with_25_credits_all_is_covered(hours: str, used: str) -> None:
    price = quote(
        rate(("hour", 1500), ("half_day", 6000), ("day", 9000)),
        MONDAY + "08:00",
        Decimal(hours),
        credits_available=Decimal(25),
    )
    assert (price.credits_used, price.total) == (Decimal(used), eur(0))


@pytest.mark.parametrize(("unit", "hours", "used"), [("day", 10, 24), ("half_day", 3, 5)])
def test_crd_2_a_price_by_the_unit_takes_the_credits_of_the_unit(unit: str, hours: int, used: int) -> None:
    price = quote(rate((unit, 6000)), MONDAY + "08:00", hours, credits_available=Decimal(25))
    assert (price.credits_used, price.total) == (Decimal(used), eur(0))


@pytest.mark.parametrize("prices", [rate(("hour", 1500)), HOURLY_AND_DAY])
def test_crd_2_three_credits_cover_three_of_four_hours(prices: Rate) -> None:
    price = quote(prices, MONDAY + "08:00", 4, credits_available=Decimal(3))
    assert (price.credits_used, price.total) == (Decimal(3), eur(1500))


def test_crd_2_credits_that_would_save_nothing_are_kept() -> None:
    assert quote(HOURLY_AND_DAY, MONDAY + "08:00", 24, credits_available=Decimal(3)).credits_used == 0


def test_crd_2_a_day_price_is_not_covered_in_part() -> None:
    price = quote(rate(("day", 5000)), MONDAY + "08:00", 24, credits_available=Decimal(23))
    assert (price.credits_used, price.total) == (Decimal(0), eur(5000))


PRICES = st.lists(
    st.tuples(st.sampled_from(list(Unit)), st.integers(0, 20000), st.sampled_from(list(When))), min_size=1, max_size=7
)


@settings(max_examples=150, deadline=None)
@given(
    prices=PRICES,
    slot=st.sampled_from([15, 30, 60, 7]),
    zone=st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe"]),
    day=st.sampled_from(["2027-03-13", "2027-03-27", "2027-04-03", "2027-10-02", "2027-10-30", "2027-11-06"]),
    start=st.integers(0, 24 * 60 - 1),
    first=st.integers(1, 3000),
    more=st.integers(1, 2000),
    credit=st.integers(0, 30),
    percent=st.integers(0, 100),
)
def test_pri_3_longer_never_costs_less(
    prices: list[tuple[Unit, int, When]],
    slot: int,
    zone: str,
    day: str,
    start: int,
    first: int,
    more: int,
    credit: int,
    percent: int,
) -> None:
    offered = rate(("hour", 1999), *[(u.value, p, w.value) for u, p, w in prices], charge_slot_minutes=slot)
    wall = (datetime.fromisoformat(day) + timedelta(minutes=start)).isoformat()
    short, long = (
        quote(
            offered,
            wall,
            Decimal(minutes) / 60 + Decimal("0.0001"),
            zone=zone,
            credits_available=Decimal(credit),
            discount_percent=Decimal(percent),
        )
        for minutes in (first, first + more)
    )
    assert short.total <= long.total
    for price in (short, long):
        assert Money.total((line.net for line in price.lines), "EUR") == price.total
        assert 0 <= price.credits_used <= credit


def by_the_formula(minutes: int, units: Sequence[tuple[int, Decimal]]) -> Decimal:
    """PRI-3 as it is written, from the shortest rest on."""
    costs = [Decimal(0)]
    for rest in range(1, minutes + 1):
        costs.append(min(price + costs[max(0, rest - length)] for length, price in units))
    return costs[minutes]


@settings(max_examples=100, deadline=None)
@given(
    hour=st.integers(1, 60).map(lambda n: n * 60),
    half=st.integers(100, 9000),
    day=st.integers(100, 20000),
    minutes=st.integers(1, 60 * 60),
    slot=st.sampled_from([15, 30, 60]),
)
def test_pri_3_is_the_formula(hour: int, half: int, day: int, minutes: int, slot: int) -> None:
    """Away from clock changes, with nine business hours so that half a day is no whole number of slots."""
    opening = {name: [["09:00", "18:00"]] for name in WEEKDAYS}
    offered = rate(("hour", hour), ("half_day", half), ("day", day), charge_slot_minutes=slot)
    billed = -(-minutes // slot) * slot
    expected = by_the_formula(
        billed, [(slot, Decimal(hour * slot) / 60), (270, Decimal(half)), (24 * 60, Decimal(day))]
    )
    price = quote(offered, MONDAY + "09:00", Decimal(minutes) / 60 + Decimal("0.0001"), opening_hours=opening)
    assert price.total == eur(round_half_up(expected))


def test_pri_2_an_hour_is_an_hour_whatever_the_second_it_begins() -> None:
    assert quote(HOURLY_AND_DAY, MONDAY + "09:00:30", 1).total == eur(1500)


@pytest.mark.parametrize(
    ("day", "minor"),
    [
        (date(2027, 2, 15), 1500),  # the season is over, and was more specific
        (date(2026, 7, 15), 900),  # in the season
        (date(2027, 2, 20), 1500),  # prices for off-hours alone tell nobody what an hour costs
    ],
)
def test_prices_on_a_day_are_those_of_the_rate_that_holds_then(day: date, minor: int) -> None:
    season = Conditions(valid_from=date(2026, 6, 1), valid_until=date(2026, 8, 31))
    rates = [rate(("hour", 900), conditions=season), rate(("hour", 700, "off_hours")), rate(("hour", 1500))]
    assert prices_on(rates, day)[0].price == eur(minor)


@pytest.mark.parametrize(
    ("offer", "to_members", "to_all"),
    [
        (rate(("hour", 1500)), True, True),
        (rate(("hour", 1500), conditions=Conditions(audience=Audience.MEMBERS)), True, False),
        (rate(("hour", 1500), conditions=Conditions(plan_ids=frozenset({ROOM}))), True, False),
        (rate(("hour", 1500), conditions=Conditions(valid_until=date(2027, 2, 14))), False, False),
        (rate(("hour", 1500), conditions=Conditions(valid_from=date(2028, 1, 1))), True, True),
        (rate(("hour", 1500, "weekend")), False, False),
        (rate(("hour", 1500), resource_types=frozenset({"event_space"})), False, False),
    ],
)
def test_a_resource_is_offered_by_the_rule_that_lists_it(offer: Rate, to_members: bool, to_all: bool) -> None:
    """DOMAIN section 0."""
    for wanted, everybody in ((to_members, False), (to_all, True)):
        assert is_offered([offer], ROOM, "meeting_room", date(2027, 2, 15), to_all=everybody) is wanted
