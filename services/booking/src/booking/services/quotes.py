"""Quotes: what a booking would cost, and whether it could be made, without making it (PRI-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from booking.domain.intervals import Interval
from booking.domain.price_snapshot import Price
from booking.domain.recurrence import Occurrence
from booking.services.bookings import BookingRequest, occurrences_of, terms_of
from booking.services.checking import Asker, check_bookable, list_violations
from booking.services.desk import Desk, load_desk
from booking.services.occupancy import all_units
from booking.services.pricing import priced_dates, target_of, wallet_for
from common.db import TenantSession
from common.money import Money


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of each occurrence, what stands against booking, and the occurrences whose time is taken."""

    desk: Desk
    occurrences: tuple[Occurrence, ...]
    prices: tuple[Price, ...]
    violations: tuple[dict[str, str], ...]
    taken: tuple[Interval, ...]

    @property
    def total(self) -> Money:
        """What all occurrences cost together."""
        return Money.total((price.total for price in self.prices), self.prices[0].total.currency)


def quote(session: TenantSession, request: BookingRequest, asker: Asker) -> Quote:
    """The quote of a request; raises InvalidError as `book` does, save for policies: those are listed."""
    desk = load_desk(session, request.resource_id, member_id=request.member_id, company_id=request.company_id)
    occurrences = occurrences_of(request, desk)
    intervals = [occurrence.interval for occurrence in occurrences]
    check_bookable(desk, asker, intervals)
    found = list_violations(session, desk, intervals, is_recurring=request.recurrence is not None)
    terms = terms_of(session, request, desk)
    wallet = wallet_for(session, desk, intervals, lock=False, is_personal=request.is_personal)
    prices = []
    priced = priced_dates(session, desk, intervals, terms, wallet)
    for interval, (price, _) in zip(intervals, priced, strict=True):
        if wallet is not None and price.credits_used > 0:
            wallet.count_on(target_of(desk, interval), price.credits_used)
        prices.append(price)
    return Quote(
        desk=desk,
        occurrences=tuple(occurrences),
        prices=tuple(prices),
        violations=tuple({"code": v.code, "detail": v.detail, "pointer": v.pointer} for v in found),
        taken=tuple(taken_of(session, desk, intervals)),
    )


_TAKEN = text("""
SELECT c.place FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
  WITH ORDINALITY AS c (starts_at, ends_at, place)
WHERE NOT EXISTS (
  SELECT FROM generate_series(1, CAST(:capacity AS bigint)) n WHERE NOT EXISTS (
    SELECT FROM occupancy o WHERE o.units && int8range(:base + n, :base + n, '[]')
      AND o.during && tstzrange(c.starts_at, c.ends_at) AND (o.lapses_at IS NULL OR o.lapses_at > :now)))
OR EXISTS (
  SELECT FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS b (first, last)
  JOIN occupancy o ON o.units && int8range(b.first, b.last, '[]')
   AND o.during && tstzrange(c.starts_at, c.ends_at) AND (o.lapses_at IS NULL OR o.lapses_at > :now))
""")


def taken_of(session: TenantSession, desk: Desk, intervals: list[Interval]) -> list[Interval]:
    """Those of the intervals that could not be booked now because no unit is free throughout."""
    blocked = [desk.policy.blocked_by(interval) for interval in intervals]
    parameters: dict[str, Any] = {
        "starts": [interval.start for interval in blocked],
        "ends": [interval.end for interval in blocked],
        "capacity": desk.premises.capacity,
        "base": all_units(desk.premises.number, 1)[0] - 1,
        "firsts": [first for first, _ in desk.premises.below],
        "lasts": [last for _, last in desk.premises.below],
        "now": session.now(),
    }
    return [intervals[place - 1] for (place,) in session.execute(_TAKEN, parameters)]
