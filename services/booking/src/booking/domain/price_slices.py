"""A booking cut at the local boundaries where its prices change: opening hours, weekends, date ranges (PRI-4).

Times are minutes since the start of the booking: integers, so that nothing drifts and comparing is cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from booking.domain.intervals import Interval
from booking.domain.opening_hours import LocationCalendar, local_days
from booking.domain.rates import Rate, RatePrice, Unit, When
from common.clock import local_date, start_of_day

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch in which the same rate and the same prices hold; without a rate nothing prices it."""

    start: int
    end: int
    rate: Rate | None
    prices: Mapping[Unit, RatePrice]


def cut(window: Interval, calendar: LocationCalendar, rates: Sequence[Rate]) -> list[Slice]:
    """The slices of a window; ``rates`` are those that apply to the buyer and resource, most specific first."""
    opened = calendar.open_during(window) if _has(rates, When.OFF_HOURS) else []
    slices: list[Slice] = []
    for stretch in _stretches(window, calendar, rates, opened):
        closed = not any(hours.contains(stretch) for hours in opened)
        rate, prices = _prices(rates, local_date(stretch.start, calendar.zone), off_hours=closed)
        end = (stretch.end - window.start) // MINUTE
        if slices and slices[-1].rate is rate and slices[-1].prices == prices:
            slices[-1] = Slice(slices[-1].start, end, rate, prices)
        else:
            slices.append(Slice((stretch.start - window.start) // MINUTE, end, rate, prices))
    return slices


def _has(rates: Sequence[Rate], when: When) -> bool:
    return any(price.when is when for rate in rates for price in rate.prices)


def _prices(rates: Sequence[Rate], day: date, *, off_hours: bool) -> tuple[Rate | None, dict[Unit, RatePrice]]:
    """The most specific rate that has any price at such a time, and its prices."""
    for rate in rates:
        if rate.conditions.hold_on(day):
            prices = rate.prices_at(off_hours=off_hours, weekend=day.weekday() >= 5)
            if prices:
                return rate, prices
    return None, {}


def _stretches(
    window: Interval, calendar: LocationCalendar, rates: Sequence[Rate], opened: Sequence[Interval]
) -> Iterator[Interval]:
    """The window between all boundaries at which a price might change."""
    edges = {edge for hours in opened for edge in (hours.start, hours.end)}
    if _has(rates, When.WEEKEND) or any(rate.conditions.has_dates for rate in rates):
        edges.update(_midnights(window, calendar.zone))
    inside = sorted(edge for edge in edges if window.start < edge < window.end)
    for start, end in zip([window.start, *inside], [*inside, window.end], strict=True):
        yield Interval(start, end)


def _midnights(window: Interval, zone: str) -> Iterator[datetime]:
    return (start_of_day(day, zone) for day in local_days(window, zone))
