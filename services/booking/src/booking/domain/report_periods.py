"""The periods of a report: civil dates, cut at the beginnings of days, weeks or months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from booking.domain.intervals import Interval, clipped
from common.clock import start_of_day


class Step(StrEnum):
    """How long a period is; weeks begin on Monday, ``total`` is all in one."""

    TOTAL = "total"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Civil dates ``[start, end)``."""

    start: date
    end: date


def periods(first: date, after: date, step: Step) -> list[Period]:
    """The periods that tile ``[first, after)``; the first and the last may be cut short."""
    edges = [first]
    while (edge := _next_edge(edges[-1], step, after)) < after:
        edges.append(edge)
    return [Period(start, end) for start, end in pairwise([*edges, after])]


def edges_in(dates: Sequence[Period], zone: str) -> list[datetime]:
    """The local midnights between which the periods lie: one more than there are periods."""
    return [*(start_of_day(period.start, zone) for period in dates), start_of_day(dates[-1].end, zone)]


def shared_out(intervals: Iterable[Interval], edges: Sequence[datetime]) -> list[timedelta]:
    """How much of some intervals that do not overlap lies in each period."""
    listed = list(intervals)
    return [
        sum((part.duration for part in clipped(listed, Interval(start, end))), timedelta())
        for start, end in pairwise(edges)
    ]


def _next_edge(day: date, step: Step, after: date) -> date:
    match step:
        case Step.DAY:
            return day + timedelta(days=1)
        case Step.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case Step.MONTH:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        case Step.TOTAL:
            return after
