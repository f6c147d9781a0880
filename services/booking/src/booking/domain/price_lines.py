"""The lines of a price: equal pieces of time put together, and extras (MON-2: what is split adds up to the whole)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from booking.domain.price_cover import COST_SCALE, Piece, Timeline
from booking.domain.price_snapshot import PriceLine
from booking.domain.price_wording import hours, plain, units
from booking.domain.rates import Rate, RatePrice, Unit, extras_on
from common.errors import InvalidError
from common.money import Money

_LONGEST_FIRST = {unit: -place for place, unit in enumerate(Unit)}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some minutes by the hour, or one whole unit, at one price; ``cost`` in sixtieths of a minor unit."""

    price: RatePrice
    minutes: int
    count: int
    cost: int


def time_lines(timeline: Timeline, pieces: Sequence[Piece], currency: str) -> list[PriceLine]:
    """One line per unit and price: longest unit first, then in the order of their first use.

    The sum is the exact cost rounded once, half up; the lines share it by largest remainder. With one rate there is
    at most one line with a fraction, which is then simply rounded.
    """
    grouped: dict[RatePrice, _Part] = {}
    for piece in _joined(pieces):
        for part in _parts(timeline, piece):
            before = grouped.get(part.price, _Part(part.price, 0, 0, 0))
            grouped[part.price] = _Part(
                part.price, before.minutes + part.minutes, before.count + part.count, before.cost + part.cost
            )
    parts = sorted(grouped.values(), key=lambda part: _LONGEST_FIRST[part.price.unit])
    nets = _rounded([part.cost for part in parts])
    return [_line(part, Money(net, currency)) for part, net in zip(parts, nets, strict=True)]


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces, with charge slots that follow each other made one."""
    for unit, run in groupby(pieces, key=lambda piece: piece.unit):
        if unit is not Unit.HOUR:
            yield from run
            continue
        slots = list(run)
        start, end = slots[0].start, slots[-1].end
        yield Piece(unit, start, end, end - start, sum(slot.cost for slot in slots), slots[0].at)


def _parts(timeline: Timeline, piece: Piece) -> Iterator[_Part]:
    if piece.unit is not Unit.HOUR:
        price = timeline.slices[piece.at].prices[piece.unit]
        yield _Part(price, piece.end - piece.start, 1, piece.cost)
        return
    for part, minutes in timeline.hourly_parts(piece.start, piece.end):
        price = part.prices[Unit.HOUR]
        yield _Part(price, minutes, 0, minutes * price.price.amount_minor)


def _rounded(costs: Sequence[int]) -> list[int]:
    """Whole minor units that add up to the rounded sum: the largest fractions go up, of equal ones the earlier."""
    # Half up, as everywhere (MON-2): costs are whole numbers and never negative.
    total = (2 * sum(costs) + COST_SCALE) // (2 * COST_SCALE)
    parts = [cost // COST_SCALE for cost in costs]
    order = sorted(range(len(costs)), key=lambda i: (-(costs[i] % COST_SCALE), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _line(part: _Part, net: Money) -> PriceLine:
    price = part.price
    quantity = hours(part.minutes) if price.unit is Unit.HOUR else Decimal(part.count)
    return PriceLine("time", units(quantity, price.unit, price.when), quantity, price.price, net)


def extra_lines(ordered: Sequence[tuple[str, Decimal]], rates: Sequence[Rate], day: date) -> list[PriceLine]:
    """A line per extra ordered for a local day, at the price of the most specific rate that offers it then (PRI-5).

    Raises InvalidError ``unknown_extra`` and ``extra_quantity``.
    """
    offered = extras_on(rates, day)
    lines = []
    for code, quantity in ordered:
        if code not in offered:
            raise InvalidError("unknown_extra", f"There is no extra called {code!r} here.")
        if not quantity.is_finite() or quantity <= 0:
            raise InvalidError("extra_quantity", "The quantity of an extra must be more than nothing.")
        extra = offered[code]
        lines.append(PriceLine("extra", extra.name, plain(quantity), extra.price, extra.price.times(quantity)))
    return lines
