"""Reading RFC 5545 recurrence rules (BOK-4): which rules are accepted, and the wall times they name.

The rule runs on naive local wall times; what they mean in instants is `booking.domain.recurrence`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import takewhile
from typing import Self

from dateutil.rrule import rrulestr

from common.clock import instant_to_wall, wall_to_instant
from common.errors import InvalidError

# What each frequency may be narrowed by. The time of day is the booking's own; rules that dateutil could search through
# for millennia without finding a date (DAILY with BYMONTHDAY=30 and BYMONTH=2, say) are not accepted.
_PARTS: Mapping[str, frozenset[str]] = {
    "HOURLY": frozenset({"BYDAY", "BYMONTH", "BYHOUR"}),
    "DAILY": frozenset({"BYDAY", "BYMONTH"}),
    "WEEKLY": frozenset({"BYDAY", "BYMONTH"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}),
}
# How far the values of each part reach, whatever their sign; beyond that dateutil fails, or searches in vain.
_REACH: Mapping[str, tuple[int, int]] = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (1, 31),
    "BYHOUR": (0, 23),
    "BYSETPOS": (1, 366),
}
_SIGNED = frozenset({"BYMONTHDAY", "BYSETPOS"})
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)")
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_HORIZON_DAYS = {"HOURLY": 366, "DAILY": 10 * 366, "WEEKLY": 20 * 366, "MONTHLY": 50 * 366, "YEARLY": 100 * 366}
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


@dataclass(frozen=True, slots=True)
class Rule:
    """An accepted rule: ``pattern`` without its end, and how it ends. ``until`` is an inclusive local wall time."""

    frequency: str
    pattern: str
    count: int | None = None
    until: datetime | None = None

    @classmethod
    def parse(cls, text: str, zone: str) -> Self:
        """Read an RRULE value, with or without the ``RRULE:`` in front.

        Raises InvalidError ``recurrence_invalid`` (malformed), ``recurrence_unsupported``, ``recurrence_unbounded``
        (neither COUNT nor UNTIL).
        """
        parts = _split(text)
        frequency = parts.get("FREQ", "")
        _check_supported(frequency, parts)
        count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
        if count is None and until is None:
            raise InvalidError("recurrence_unbounded", "A recurrence needs an end: COUNT or UNTIL.")
        if count is not None and until is not None:
            raise _invalid("A recurrence ends by COUNT or by UNTIL, not by both.")
        pattern = ";".join(f"{key}={value}" for key, value in parts.items())
        return cls(frequency, pattern, _positive(count), _wall_until(until, zone) if until else None)

    def text(self, zone: str) -> str:
        """The RRULE value; UNTIL is written in UTC, as RFC 5545 wants it beside a DTSTART with a zone."""
        if self.until is None:
            return f"{self.pattern};COUNT={self.count}"
        return f"{self.pattern};UNTIL={wall_to_instant(self.until, zone):%Y%m%dT%H%M%SZ}"

    def walls(self, start: datetime) -> Iterator[datetime]:
        """The naive wall times of the rule from ``start`` on; raises InvalidError for values dateutil refuses.

        Month days that do not exist are skipped. Ends early, with ``recurrence_too_far``, decades after the start.
        """
        horizon = start + timedelta(days=_HORIZON_DAYS[self.frequency])
        found = self._found(start)
        if self.until is not None:
            until = self.until
            yield from takewhile(lambda wall: wall <= until, found)
            return
        for number in range(self.count or 0):
            wall = next(found, None)
            if wall is None or wall > horizon:
                code = "recurrence_too_far" if number else "recurrence_empty"
                raise InvalidError(code, "The recurrence does not reach its count within a sensible time.")
            yield wall

    def _found(self, start: datetime) -> Iterator[datetime]:
        """What dateutil makes of the pattern; some of what it cannot read it only notices while counting."""
        try:
            yield from rrulestr(self.pattern, dtstart=start)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise _invalid("The recurrence rule cannot be read.") from error

    def ended_before(self, wall: datetime) -> Rule:
        """The rule up to, but not including, a wall time."""
        return replace(self, count=None, until=wall - timedelta(seconds=1))

    def continued_after(self, used: int) -> Rule:
        """The rest of the rule when so many of its dates are behind."""
        return self if self.count is None else replace(self, count=self.count - used)


def _split(text: str) -> dict[str, str]:
    body = text.strip().upper().removeprefix("RRULE:")
    pairs = [part.partition("=") for part in body.split(";")]
    parts = {key: value for key, _, value in pairs}
    if any(not value for value in parts.values()) or len(parts) != len(pairs) or not re.fullmatch(r"[\w=;,+-]+", body):
        raise _invalid("A recurrence rule looks like FREQ=WEEKLY;COUNT=6.")
    return parts


def _check_supported(frequency: str, parts: Mapping[str, str]) -> None:
    if frequency not in _PARTS:
        raise InvalidError("recurrence_unsupported", "Bookings recur hourly, daily, weekly, monthly or yearly.")
    narrowing = set(parts) - _ALWAYS
    if unknown := narrowing - _PARTS[frequency]:
        raise InvalidError("recurrence_unsupported", f"{sorted(unknown)[0]} is not supported with FREQ={frequency}.")
    interval = _positive(parts.get("INTERVAL", "1")) or 1
    if interval > 1000:
        raise _invalid("INTERVAL is at most 1000.")
    if interval > 1 and narrowing and frequency in {"HOURLY", "DAILY"}:
        raise InvalidError("recurrence_unsupported", f"INTERVAL and {sorted(narrowing)[0]} do not go together here.")
    _check_values(frequency, parts)
    if frequency not in {"MONTHLY", "YEARLY"} and re.search(r"\d", parts.get("BYDAY", "")):
        raise _invalid("Numbered weekdays such as 1MO need FREQ=MONTHLY or FREQ=YEARLY.")


def _check_values(frequency: str, parts: Mapping[str, str]) -> None:
    """Refuse what names no date in any year, before anything looks for one."""
    named = {key: _numbers(key, parts[key]) for key in _REACH if key in parts}
    for weekday in parts.get("BYDAY", "MO").split(","):
        match = _WEEKDAY.fullmatch(weekday)
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= (5 if frequency == "MONTHLY" else 53)):
            raise _invalid(f"{weekday} is not a day for BYDAY.")
    longest = max(_DAYS_OF_MONTHS[month - 1] for month in named.get("BYMONTH", [1]))
    if all(abs(day) > longest for day in named.get("BYMONTHDAY", [1])):
        raise InvalidError("recurrence_empty", "The recurrence has no date at all.")


def _numbers(key: str, text: str) -> list[int]:
    least, most = _REACH[key]
    sign = "[+-]?" if key in _SIGNED else ""
    found = [int(part) for part in text.split(",") if re.fullmatch(rf"{sign}[0-9]{{1,3}}", part)]
    if len(found) <= text.count(",") or not all(least <= abs(number) <= most for number in found):
        raise _invalid(f"{key} is between {least} and {most}.")
    return found


def _positive(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise _invalid("COUNT and INTERVAL are whole numbers from 1.")
    return int(text)


def _wall_until(text: str, zone: str) -> datetime:
    """UNTIL as a wall time: a date means all of that local day, Z means UTC."""
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        day = datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a civil date
        if match[2] is None:
            return datetime.combine(day, time.max)
        clock = time(int(match[2][:2]), int(match[2][2:4]), int(match[2][4:]))
    except ValueError as error:
        raise _invalid("UNTIL looks like 20270331 or 20270331T220000Z.") from error
    wall = datetime.combine(day, clock)
    if not match[3]:
        return wall
    try:
        return instant_to_wall(wall_to_instant(wall, "UTC"), zone)
    except OverflowError as error:
        raise _invalid("UNTIL is in no year that can be booked.") from error


def _invalid(detail: str) -> InvalidError:
    return InvalidError("recurrence_invalid", detail)
