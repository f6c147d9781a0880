"""Promo codes on the price of a booking (GH-3, TAX-4)."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.domain.intervals import Interval
from booking.domain.opening_hours import LocationCalendar
from booking.domain.price_snapshot import Price
from booking.domain.pricing import ExtraOrder, PriceRequest, price_booking
from booking.domain.promotions import PromoScope, Promotion, check_promo_code
from booking.domain.rates import Extra, Rate, RatePrice, Unit
from common.errors import InvalidError
from common.money import Money

ROOM, CODE, HOUSE = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2027, 2, 15, 8, tzinfo=UTC)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def percent(number: str) -> Promotion:
    return Promotion(CODE, "SPRING", percent=Decimal(number))


def amount(minor: int) -> Promotion:
    return Promotion(CODE, "TENNER", amount=eur(minor))


def priced(promotion: Promotion | None, hours: int = 3, **fields: Any) -> Price:
    rate = Rate(
        UUID(int=7),
        1,
        "Rooms",
        (RatePrice(Unit.HOUR, eur(1500)),),
        extras=(Extra("projector", "Projector", eur(1000)),),
    )
    request = PriceRequest(
        interval=Interval(START, START + timedelta(hours=hours)),
        resource_id=ROOM,
        resource_type="meeting_room",
        calendar=LocationCalendar.from_document("Europe/Berlin", {}),
        rates=[rate],
        currency="EUR",
        promotion=promotion,
        **fields,
    )
    return price_booking(request)


def test_gh_3_a_percentage_comes_after_the_plans_discount_and_is_off_extras_too() -> None:
    price = priced(percent("20"), discount_percent=Decimal(10), extras=(ExtraOrder("projector"),))
    # 45.00 less 10 % is 40.50; with 10.00 for the projector 50.50; a fifth of that is 10.10.
    assert [(line.kind, line.net) for line in price.lines] == [
        ("time", eur(4500)),
        ("discount", eur(-450)),
        ("extra", eur(1000)),
        ("promotion", eur(-1010)),
    ]
    assert price.total == eur(4040)
    assert price.promo_code == "SPRING"
    assert price.explain[-2:] == ("Promo code SPRING, 20 %: -10.10 EUR.", "Total: 40.40 EUR.")
    assert Price.from_document(price.as_document()) == price


def test_mon_2_a_percentage_is_rounded_half_up_once() -> None:
    assert priced(percent("12.5"), hours=1, custom_price=eur(1004)).promotion_off == eur(126)  # 125.5


def test_tax_4_an_amount_is_capped_at_the_price() -> None:
    assert priced(amount(1000)).total == eur(3500)
    capped = priced(amount(9900))
    assert (capped.total, capped.promotion_off) == (eur(0), eur(4500))


@pytest.mark.parametrize("fields", [{"is_free": True}, {"waived": True}])
def test_a_code_that_takes_nothing_off_is_not_used(fields: dict[str, Any]) -> None:
    price = priced(percent("20"), **fields)
    assert price.promo_code is None
    assert all(line.kind != "promotion" for line in price.lines)


def test_an_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        priced(Promotion(CODE, "TENNER", amount=Money(1000, "USD")))
    assert refused.value.code == "price_currency"


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.decimals(0, 100, places=2))
def test_no_code_makes_a_price_negative_and_parts_of_a_series_add_up(price: int, off: int, share: Decimal) -> None:
    for promotion in (amount(off), percent(str(share))):
        assert eur(0) <= promotion.off(eur(price)) <= eur(price)
    first = amount(off).off(eur(price))
    rest = amount(off).after(first)
    assert first + (rest.amount if rest and rest.amount else eur(0)) == eur(off)


SCOPES = [
    ({}, True),
    ({"resource_ids": [str(ROOM)]}, True),
    ({"resource_ids": [str(CODE)]}, False),
    ({"resource_types": ["meeting_room"], "location_ids": [str(HOUSE)]}, True),
    ({"resource_types": ["meeting_room"], "location_ids": [str(ROOM)]}, False),
]


@pytest.mark.parametrize(("scope", "fits"), SCOPES)
def test_a_scope_is_every_list_that_is_given(scope: dict[str, Any], fits: bool) -> None:
    assert PromoScope.from_document(scope).fits(ROOM, "meeting_room", HOUSE) is fits


REFUSED = [
    ({"scope": {"kinds": ["plan", "pass"]}}, "promo_code_not_applicable"),
    ({"valid_from": "2027-02-02"}, "promo_code_not_yet_valid"),
    ({"valid_until": "2027-01-31"}, "promo_code_expired"),
]


@pytest.mark.parametrize(("state", "code"), REFUSED)
def test_codes_for_other_things_and_other_days_are_refused(state: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_promo_code(state, date(2027, 2, 1))
    assert refused.value.code == code
    assert refused.value.errors[0].pointer == "/promo_code"


def test_first_and_last_day_count() -> None:
    for day in ("2027-02-01", "2027-02-28"):
        state = {"valid_from": "2027-02-01", "valid_until": "2027-02-28", "scope": {"kinds": ["booking"]}}
        check_promo_code(state, date.fromisoformat(day))


ROOMS, PLANS = {"resource_types": ["meeting_room"]}, {"plan_ids": ["p"]}
WITHOUT_KINDS = [
    ({}, True, False),
    ({"location_ids": ["l"]}, True, False),
    (ROOMS, True, True),
    ({"resource_ids": ["r"], "location_ids": ["l"]}, True, True),
    (PLANS, False, False),
    (ROOMS | PLANS, True, False),
]


@pytest.mark.parametrize(("scope", "unlimited", "limited"), WITHOUT_KINDS)
def test_a_code_without_kinds_is_for_what_it_lists_and_counted_in_one_place(
    scope: dict[str, Any], unlimited: bool, limited: bool
) -> None:
    limits: list[tuple[dict[str, int | None], bool]] = [
        ({}, unlimited),
        ({"max_uses": None, "max_uses_per_customer": None}, unlimited),
        ({"max_uses": 1}, limited),
        ({"max_uses_per_customer": 1}, limited),
    ]
    for limit, is_good in limits:
        refusal = nullcontext() if is_good else pytest.raises(InvalidError, match="not for bookings")
        with refusal:
            check_promo_code({"scope": scope, **limit}, date(2027, 2, 1))
