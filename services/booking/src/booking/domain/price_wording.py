"""Prices in words: what the lines of a booking say and how its price is explained (PRI-1)."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from booking.domain.rates import Unit, When
from common.money import Money

_NAMES = {
    Unit.HOUR: ("hour", "hours"),
    Unit.HALF_DAY: ("half-day", "half-days"),
    Unit.DAY: ("day", "days"),
    Unit.WEEK: ("week", "weeks"),
    Unit.MONTH: ("month", "months"),
}
_WHEN = {When.ANY: "", When.OFF_HOURS: " off-hours", When.WEEKEND: " at the weekend"}
_PLACES = Decimal("0.000001")


@lru_cache(maxsize=1024)
def hours(minutes: int) -> Decimal:
    """Minutes as hours, to six places, without idle zeros."""
    return plain((Decimal(minutes) / 60).quantize(_PLACES))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent: 3, 0.5, 100."""
    reduced = number.normalize()
    return reduced.quantize(Decimal(1)) if reduced == reduced.to_integral_value() else reduced


@lru_cache(maxsize=4096)
def amount(money: Money) -> str:
    """``45.00 EUR``."""
    return f"{money.decimal()} {money.currency}"


def span(minutes: int) -> str:
    """``2 h 15 min``."""
    whole, rest = divmod(minutes, 60)
    return " ".join([f"{whole} h"] * bool(whole) + [f"{rest} min"] * bool(rest)) or "0 min"


def units(quantity: Decimal, unit: Unit, when: When = When.ANY) -> str:
    """``3 hours``, ``1 day at the weekend``."""
    return f"{quantity} {_NAMES[unit][quantity != 1]}{_WHEN[when]}"
