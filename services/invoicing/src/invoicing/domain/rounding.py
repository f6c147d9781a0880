"""Exact integer rounding and splitting (MON-2), on plain ints: a billing run does it hundreds of thousands of times."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

HUNDRED = Decimal(100)


def divide_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded to an integer, halves away from zero; ``denominator`` must be positive."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


@lru_cache(maxsize=512)
def percent_ratio(percent: Decimal) -> tuple[int, int]:
    """``19`` (per cent) as the exact pair (numerator, denominator) of 0.19; the denominator is positive."""
    numerator, denominator = percent.as_integer_ratio()
    return numerator, denominator * 100


def spread(total: int, shares: Sequence[int], denominator: int) -> list[int]:
    """Whole numbers near ``share / denominator`` that add up to ``total`` (largest remainder, ties to the earlier).

    Shares may be negative. Where ``total`` lies further from the sum of the shares than rounding explains, the
    difference is laid evenly on all. Raises ValueError without shares.
    """
    if not shares:
        raise ValueError("nothing to spread over")
    if len(shares) == 1:
        return [total]
    parts = [share // denominator for share in shares]
    for_all, left = divmod(total - sum(parts), len(parts))
    if not left and not for_all:
        return parts
    order = sorted(range(len(parts)), key=lambda i: (-(shares[i] % denominator), i))
    for i in order[:left]:
        parts[i] += 1
    return [part + for_all for part in parts] if for_all else parts
