"""Exact money: integer minor units with an ISO 4217 currency (MON-1 to MON-3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Self

# ISO 4217 currencies whose minor unit is not 1/100; all others have two decimals.
_EXPONENTS = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)

# Codes that were checked before: money is made by the hundred thousand.
_SEEN: set[str] = set()

Exact = Decimal | Fraction | int


class CurrencyMismatchError(ValueError):
    """Two currencies met in one sum (MON-1)."""


def currency_exponent(currency: str) -> int:
    """Number of decimals of a currency's minor unit (JPY 0, EUR 2, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


def round_half_up(value: Exact) -> int:
    """Round to an integer, halves away from zero (MON-2)."""
    if isinstance(value, Decimal):
        return int(value.to_integral_value(rounding=ROUND_HALF_UP))
    fraction = Fraction(value)
    magnitude = (abs(fraction.numerator) * 2 + fraction.denominator) // (2 * fraction.denominator)
    return magnitude if fraction >= 0 else -magnitude


def allocate(total: int, weights: Sequence[Exact]) -> list[int]:
    """Split ``total`` minor units by weight so that the parts add up to it exactly (MON-2).

    Largest remainder; ties go to the earlier part. With no positive weight everything goes to the first part.
    Raises ValueError without weights or with a negative one.
    """
    fractions = [Fraction(weight) for weight in weights]
    if not fractions or any(weight < 0 for weight in fractions):
        raise ValueError("weights must be a non-empty sequence of numbers that are not negative")
    whole = sum(fractions)
    if whole == 0:
        return [total] + [0] * (len(fractions) - 1)
    sign, size = (1, total) if total >= 0 else (-1, -total)
    exact = [size * weight / whole for weight in fractions]
    parts = [share.numerator // share.denominator for share in exact]
    order = sorted(range(len(exact)), key=lambda i: (-(exact[i] - parts[i]), i))
    for i in order[: size - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency. Arithmetic across currencies raises CurrencyMismatchError."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is int and self.currency in _SEEN:
            return
        if not isinstance(self.amount_minor, int) or isinstance(self.amount_minor, bool):
            raise TypeError("amount_minor must be an int")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"not an ISO 4217 code: {self.currency!r}")
        _SEEN.add(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in the given currency."""
        return cls(0, currency)

    @classmethod
    def total(cls, parts: Iterable[Money], currency: str) -> Money:
        """Sum of parts that must all be in ``currency``; zero when there are none."""
        result = Money(0, currency)
        for part in parts:
            result += part
        return result

    def times(self, rate: Exact) -> Money:
        """Multiply by an exact number and round once, half up (MON-2)."""
        if isinstance(rate, float):
            raise TypeError("money is never multiplied by a float")
        return Money(round_half_up(Fraction(self.amount_minor) * Fraction(rate)), self.currency)

    def split(self, weights: Sequence[Exact]) -> list[Money]:
        """Parts by weight that add up to this amount exactly; see `allocate`."""
        return [Money(part, self.currency) for part in allocate(self.amount_minor, weights)]

    def decimal(self) -> Decimal:
        """The amount in major units, exactly (for display and provider APIs)."""
        return Decimal(self.amount_minor).scaleb(-currency_exponent(self.currency))

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency}")
        return other.amount_minor

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount_minor != 0
