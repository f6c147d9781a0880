"""Opening hours and closures of a location, and what they mean in instants on a given local day (BOK-3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self

from booking.domain.intervals import Interval, clipped, covers, merged
from common.clock import local_date, start_of_day, wall_to_instant
from common.errors import InvalidError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")

Span = tuple[int, int]  # minutes of the wall clock since local midnight, half-open
_WHOLE_DAY: Span = (0, DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Spans per weekday, Monday first. A location without any entry at all has not said so: it is always open."""

    days: tuple[tuple[Span, ...], ...] = ((_WHOLE_DAY,),) * 7

    @classmethod
    def from_document(cls, document: Mapping[str, Sequence[Sequence[str]]]) -> Self:
        """Read ``{"mon": [["08:00", "18:00"]], …}``; "24:00" ends a day; days left out are closed.

        Raises InvalidError ``opening_hours_invalid`` for unknown days, malformed times and overlapping spans.
        """
        if not document:
            return cls()
        if unknown := set(document) - set(WEEKDAYS):
            raise _invalid(f"There is no weekday called {sorted(unknown)[0]!r}.")
        return cls(tuple(_day_spans(document.get(day) or ()) for day in WEEKDAYS))

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans of a date's weekday."""
        return self.days[day.weekday()]

    def business_minutes(self, day: date) -> int:
        """Minutes open that weekday; on a closed weekday those of the longest one, so that half a day has a length."""
        minutes = [sum(end - start for start, end in spans) for spans in self.days]
        return minutes[day.weekday()] or max(minutes) or DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Closure:
    """Days (first and last inclusive) on which a location is closed, wholly or for one span of the day."""

    first_day: date
    last_day: date
    span: Span = _WHOLE_DAY
    reason: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"start", "end" (inclusive, optional), "from_time", "to_time", "reason"}``; ``date`` is a single day.

        Raises InvalidError ``closure_invalid``.
        """
        first = document.get("start") or document.get("date")
        last = document.get("end") or first
        try:
            days = _as_date(first), _as_date(last)
            span = _minutes(document.get("from_time") or "00:00"), _minutes(document.get("to_time") or "24:00")
        except (TypeError, ValueError) as error:
            raise InvalidError("closure_invalid", "A closure needs dates of the form YYYY-MM-DD.") from error
        if days[1] < days[0] or span[1] <= span[0]:
            raise InvalidError("closure_invalid", "A closure must end after it starts.")
        return cls(*days, span, str(document.get("reason") or ""))

    def is_on(self, day: date) -> bool:
        """Whether it touches a date."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class LocationCalendar:
    """When a location is open: its IANA zone, weekly hours and closures."""

    zone: str
    hours: OpeningHours = OpeningHours()
    closures: tuple[Closure, ...] = ()

    @classmethod
    def from_document(
        cls,
        zone: str,
        opening_hours: Mapping[str, Sequence[Sequence[str]]],
        closures: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """From the fields of a location as `location-changed` carries them."""
        hours = OpeningHours.from_document(opening_hours)
        return cls(zone, hours, tuple(Closure.from_document(closure) for closure in closures))

    def open_on(self, day: date) -> list[Interval]:
        """The open instants of a local day, DST-safe (a span inside a gap vanishes)."""
        spans = list(self.hours.on(day))
        for closure in self.closures:
            if closure.is_on(day):
                spans = [rest for span in spans for rest in _span_without(span, closure.span)]
        return [interval for span in spans if (interval := self._instants(day, span)) is not None]

    def open_during(self, window: Interval) -> list[Interval]:
        """The open intervals inside a window, merged across midnight."""
        opened = [interval for day in local_days(window, self.zone) for interval in self.open_on(day)]
        return clipped(merged(opened), window)

    def is_open_throughout(self, wanted: Interval) -> bool:
        """Whether the location is open for all of the interval."""
        return covers(self.open_during(wanted), wanted)

    def is_closed_by_closure(self, wanted: Interval) -> Closure | None:
        """The first closure that touches the interval, to name it in a refusal."""
        for day in local_days(wanted, self.zone):
            for closure in self.closures:
                instants = self._instants(day, closure.span) if closure.is_on(day) else None
                if instants is not None and instants.overlaps(wanted):
                    return closure
        return None

    def half_day_minutes(self, day: date) -> int:
        """Half of the business hours of a date (PRI-3), at least one minute."""
        return max(1, self.hours.business_minutes(day) // 2)

    def _instants(self, day: date, span: Span) -> Interval | None:
        start, end = (_wall_minute(day, minute, self.zone) for minute in span)
        return Interval(start, end) if start < end else None


def local_days(window: Interval, zone: str) -> Iterator[date]:
    """The civil dates that a window touches."""
    day, last = local_date(window.start, zone), local_date(window.end - timedelta(microseconds=1), zone)
    while day <= last:
        yield day
        day += timedelta(days=1)


@lru_cache(maxsize=10_000)
def _wall_minute(day: date, minute: int, zone: str) -> datetime:
    if minute == DAY_MINUTES:
        return start_of_day(day + timedelta(days=1), zone)
    return wall_to_instant(datetime.combine(day, time(minute // 60, minute % 60)), zone)


def _span_without(span: Span, hole: Span) -> list[Span]:
    parts = [(span[0], min(span[1], hole[0])), (max(span[0], hole[1]), span[1])]
    return [part for part in parts if part[0] < part[1]]


def _day_spans(entries: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    try:
        spans = sorted((_minutes(start), _minutes(end)) for start, end in entries)
    except (TypeError, ValueError) as error:
        raise _invalid('Opening hours are pairs of times such as ["08:00", "18:00"].') from error
    if any(end <= start for start, end in spans):
        raise _invalid("Opening hours must end after they start.")
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise _invalid("Opening hours of one day must not overlap.")
    return tuple(spans)


def _minutes(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError("not a time of day")
    return int(match[1]) * 60 + int(match[2]) if match[1] else DAY_MINUTES


def _as_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _invalid(detail: str) -> InvalidError:
    return InvalidError("opening_hours_invalid", detail)
