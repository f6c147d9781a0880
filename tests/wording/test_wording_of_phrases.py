"""Whatever the domains of booking and invoicing say has a German: a new sentence without one fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

from booking.domain.intervals import Interval
from booking.domain.opening_hours import WEEKDAYS, LocationCalendar
from booking.domain.price_snapshot import Price
from booking.domain.price_wording import units
from booking.domain.pricing import ExtraOrder, PriceRequest, price_booking, price_extras
from booking.domain.promotions import Promotion
from booking.domain.rates import Extra, Rate, RatePrice, Unit, When
from common.money import Money
from contracts.phrases import translated
from invoicing.domain.membership_lines import LineKind, MembershipTerms, billable_lines
from invoicing.domain.periods import Anchor
from invoicing.domain.periods import Interval as Every
from invoicing.domain.proration import BilledPeriod, Pause, settle
from invoicing.domain.taxes import REASONS
from invoicing.services.billing.context import DEPOSIT_TAXES

ROOT = Path(__file__).parents[2]
# Names that operators give, and what is the same in both languages.
OWN = {"Xrate", "Xextra", "XCODE"}
SAME = {"EUR", "Reverse"}
ROOM = UUID(int=1)
MONDAY, SATURDAY = datetime(2027, 2, 15, 9, tzinfo=UTC), datetime(2027, 2, 20, 9, tzinfo=UTC)
LENGTHS = {Unit.HOUR: 60, Unit.HALF_DAY: 300, Unit.DAY: 1440, Unit.WEEK: 7 * 1440, Unit.MONTH: 30 * 1440}
CALENDAR = LocationCalendar.from_document("UTC", {day: [["08:00", "18:00"]] for day in WEEKDAYS[:5]})
START = date(2027, 2, 12)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def rate(*prices: RatePrice) -> Rate:
    return Rate(UUID(int=2), 1, "Xrate", prices, extras=(Extra("x", "Xextra", eur(450)),))


def asked(start: datetime, minutes: int, *prices: RatePrice, **more: Any) -> PriceRequest:
    interval = Interval(start, start + timedelta(minutes=minutes))
    return PriceRequest(interval, ROOM, "meeting_room", CALENDAR, [rate(*prices)], "EUR", **more)


def prices() -> Iterator[Price]:
    """Every unit at every time, once and thrice; then all that is taken off or comes on top."""
    for unit in Unit:
        for when in When:
            start = SATURDAY if when is When.WEEKEND else MONDAY.replace(hour=18) if when is When.OFF_HOURS else MONDAY
            for count in (1, 3):
                offered = (RatePrice(unit, eur(9000)), RatePrice(unit, eur(1500), when))
                yield price_booking(asked(start, count * LENGTHS[unit], *offered))
    hour, day = RatePrice(Unit.HOUR, eur(1500)), RatePrice(Unit.DAY, eur(5000))
    yield price_booking(asked(MONDAY, 50, hour))
    yield price_booking(asked(MONDAY, 290, hour, day))
    plain = asked(MONDAY, 180, hour, extras=(ExtraOrder("x", Decimal("2.5")),))
    by_percent = Promotion(UUID(int=3), "XCODE", percent=Decimal("12.5"))
    by_amount = Promotion(UUID(int=3), "XCODE", amount=eur(500))
    yield price_booking(replace(plain, discount_percent=Decimal("12.5"), promotion=by_percent))
    yield price_booking(replace(plain, promotion=by_amount, custom_price=eur(4000)))
    yield price_extras(price_booking(plain), replace(plain, promotion=by_amount))
    yield from (price_booking(replace(plain, credits_available=Decimal(hours))) for hours in ("1", "2.5"))
    yield from (price_booking(replace(plain, **{how: True})) for how in ("is_free", "waived"))


def said_by_booking() -> set[str]:
    """Lines and explanations, without the names of extras."""
    made = list(prices())
    assert {line.kind for price in made for line in price.lines} == {
        "time", "credits", "discount", "extra", "custom", "promotion",
    }  # fmt: skip
    lines = {line.description for price in made for line in price.lines if line.kind != "extra"}
    # Some units seldom come in threes at such times.
    lines |= {units(Decimal(count), unit, when) for count in (1, 3) for unit in Unit for when in When}
    return lines | {sentence for price in made for sentence in price.explain}


def said_by_memberships() -> set[str]:
    """Why lines cost what they cost, for every interval, whole and in part, paused and not."""
    pause = Pause(START, START + timedelta(days=2))
    found = set()
    kinds = set()
    for every in get_args(Every):
        for count in (1, 3):
            terms = MembershipTerms(eur(30000), Anchor(START, every, count), START, START)
            for changed in (
                terms, replace(terms, pauses=(pause,)), replace(terms, pauses=(pause,), prorate=False),
                replace(terms, discount_percent=Decimal("12.5")), replace(terms, setup_fee=eur(1), deposit=eur(1)),
            ):  # fmt: skip
                lines = billable_lines(changed, START)
                kinds |= {line.kind for line in lines}
                found |= {line.explain for line in lines}
    assert kinds == set(get_args(LineKind))
    return found


def said_by_settlements() -> set[str]:
    """More and fewer days than were billed."""
    (line,) = billable_lines(MembershipTerms(eur(30000), Anchor(START, "month", 1), START, START), START)
    billed = BilledPeriod(
        line.period, line.full_days, line.used_days, line.unit_price, line.quantity, Decimal(0), line.amount, eur(0)
    )
    fewer = settle([billed], end_date=START + timedelta(days=9))
    more = settle([replace(billed, charged_days=10)])
    return {each.explain for each in (*fewer, *more)}


def said_on_credit_notes() -> set[str]:
    """Reasons that invoicing gives by itself: texts in calls of what makes credit notes."""
    calls = ("settle_membership", "take_back")
    files = (ROOT / "services" / "invoicing" / "src" / "invoicing" / "services").rglob("*.py")
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    made = [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id in calls]
    found = {arg.value for node in made for arg in node.args if isinstance(arg, ast.Constant)}
    assert len(found) >= 5, found
    return {str(text) for text in found}


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text))


@pytest.mark.parametrize(
    "said",
    [
        said_by_booking,
        said_by_memberships,
        said_by_settlements,
        said_on_credit_notes,
        lambda: {reason for reason in REASONS.values() if reason} | {tax.reason for tax in DEPOSIT_TAXES},
    ],
    ids=["prices", "memberships", "settlements", "credit notes", "taxes"],
)
def test_every_sentence_of_ours_has_a_german_in_which_no_english_word_is_left(said: Any) -> None:
    left = {text: words(text) & words(translated("de", text)) - OWN - SAME for text in said()}
    assert {text: found for text, found in left.items() if found} == {}
    assert all(translated("en", text) == text for text in left)
