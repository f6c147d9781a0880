"""How much of a booking's time credits pay for (CRD-2): as cheap as can be, and then with as few credits as can be.

Hours can be covered in part: credits pay for the last hours, the rest is priced as if the booking ended there.
Days and other units are paid whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from booking.domain.price_cover import CheapestCover, Piece, Timeline
from booking.domain.price_wording import hours
from booking.domain.rates import Unit


@dataclass(frozen=True, slots=True)
class CreditUse:
    """The first ``paid_minutes`` are paid with money, the ``covered_minutes`` after them with ``hours`` of credit."""

    paid_minutes: int
    covered_minutes: int = 0
    hours: Decimal = Decimal(0)


def unit_credits(pieces: list[Piece]) -> int:
    """What the units themselves cost in minutes of credit: a day 24 hours, a half-day half of the business hours."""
    return sum(piece.worth for piece in pieces)


def cheapest_with_credits(timeline: Timeline, cover: CheapestCover, minutes: int, available: int) -> CreditUse:
    """The use of up to ``available`` minutes of credit that leaves the least to pay, and of those the smallest."""
    by_hour = _tail_by_hour(timeline, minutes)
    slot = _charge_slot(timeline)
    choices = range(0, min(available, by_hour) + 1, slot)
    covered = min(choices, key=lambda tail: (cover.cost(minutes - tail), tail), default=0)
    left = cover.cost(minutes - covered)
    whole = unit_credits(cover.pieces(minutes))
    if left > 0 and whole <= available:
        return CreditUse(0, minutes, hours(whole))
    return CreditUse(minutes - covered, covered, hours(covered))


def _charge_slot(timeline: Timeline) -> int:
    rate = timeline.slices[0].rate
    return rate.charge_slot_minutes if rate else 1


def _tail_by_hour(timeline: Timeline, minutes: int) -> int:
    """How many of the last minutes can be had by the hour."""
    begin = minutes
    for part in reversed(timeline.slices):
        if part.start >= minutes:
            continue
        if Unit.HOUR not in part.prices:
            break
        begin = part.start
    return minutes - begin
