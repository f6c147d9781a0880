"""Local days and clock changes along a stretch of minutes, by arithmetic instead of a conversion each time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from common.clock import instant_to_wall

_MINUTE = timedelta(minutes=1)
_DAY = 24 * 60


class WallTime:
    """What the local clocks of a zone show ``minutes`` long from an instant on. Clocks change at most once a day."""

    def __init__(self, origin: datetime, minutes: int, zone: str) -> None:
        wall = instant_to_wall(origin, zone)
        self.first_day = wall.date()
        self._wall_start = wall.hour * 60 + wall.minute
        info = ZoneInfo(zone)

        def offset(minute: int) -> int:
            return ((origin + minute * _MINUTE).astimezone(info).utcoffset() or timedelta(0)) // _MINUTE

        self._changes = [0]
        self._offsets = [offset(0)]
        # Looks every week, and only where two looks differ every day: a booking of an hour must stay cheap to price.
        for week in range(0, minutes, 7 * _DAY):
            if offset(week + 7 * _DAY) != self._offsets[-1]:
                for day in range(week, week + 7 * _DAY, _DAY):
                    self._look(offset, day)

    def _look(self, offset: Callable[[int], int], day: int) -> None:
        before, after = self._offsets[-1], offset(day + _DAY)
        if before == after:
            return
        low, high = day, day + _DAY
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        self._changes.append(high)
        self._offsets.append(after)

    def gained(self, start: int, end: int) -> int:
        """Minutes by which clocks went back between two minutes; 0 when they went forward."""
        return max(0, self._offset(start) - self._offset(end))

    def day(self, minute: int) -> int:
        """Number of the local day in which a minute lies; the first is 0."""
        return (self._wall_start + minute + self._offset(minute) - self._offsets[0]) // _DAY

    def _offset(self, minute: int) -> int:
        return self._offsets[bisect_right(self._changes, minute) - 1]
