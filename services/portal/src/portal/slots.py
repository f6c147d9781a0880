"""Choosing a time in a room: starts out of its free times, and a length. Members and strangers share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from common.clock import end_of_day, start_of_day
from portal.fields import ChoiceField, OneOfField
from portal.formats import clock_time, instant_text, local, number, parse_instant
from portal.forms import NEEDED, ApiForm
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_STEP = timedelta(minutes=30)
_AHEAD = timedelta(days=7)
_LENGTHS = (30, 60, 90, 120, 180, 240, 300, 360, 480)


class SlotForm(ApiForm):
    """A start and a length; the API gets start and end."""

    LOCAL = frozenset({"start", "minutes"})

    start = OneOfField(lazy_gettext("From"), [NEEDED])
    minutes = ChoiceField(lazy_gettext("How long"), [NEEDED])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With start and end as instants."""
        body = super().body(nulls=nulls)
        if self.start.data and self.minutes.data:
            begin = parse_instant(self.start.data)
            body |= {
                "start": instant_text(begin),
                "end": instant_text(begin + timedelta(minutes=int(self.minutes.data))),
            }
        return body


def offer_times(form: SlotForm, free: Sequence[Mapping[str, str]], zone: str, length: int | None = None) -> None:
    """Give the form the starts that are free, by the place's clock, and the usual lengths, and ``length`` (minutes)."""
    form.start.offer((start, clock_time(start, zone)) for start in free_starts(free, zone))
    lengths = sorted({*_LENGTHS, length}) if length else _LENGTHS
    form.minutes.offer((str(minutes), length_text(minutes)) for minutes in lengths)


def joined(spans: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Spans in their order, those that touch made one."""
    found: list[dict[str, str]] = []
    for span in sorted(spans, key=lambda each: parse_instant(each["start"])):
        if found and parse_instant(span["start"]) <= parse_instant(found[-1]["end"]):
            found[-1]["end"] = max(found[-1]["end"], span["end"], key=parse_instant)
        else:
            found.append({"start": span["start"], "end": span["end"]})
    return found


def free_day(asked: date, spans: Iterable[Mapping[str, str]], zone: str) -> date:
    """The day to show when nobody has chosen one: the first with a free time, else the one ``asked``."""
    if "date" in request.args:
        return asked
    starts = [start for span in spans for start in free_starts([span], zone)[:1]]
    return local(min(starts, key=parse_instant), zone).date() if starts else asked


def on_day(spans: Iterable[Mapping[str, str]], day: date, zone: str) -> list[dict[str, str]]:
    """The parts of free times that lie on a local day."""
    begin, end = start_of_day(day, zone), end_of_day(day, zone)
    cut = ((max(parse_instant(span["start"]), begin), min(parse_instant(span["end"]), end)) for span in spans)
    return [{"start": instant_text(start), "end": instant_text(finish)} for start, finish in cut if start < finish]


def window(now: datetime, zone: str) -> dict[str, str]:
    """What to ask the availability for: the chosen day, else the coming week, of which the first free day is shown."""
    if "date" in request.args:
        return {"date": asked_day(now, zone).isoformat()}
    return {"from": instant_text(now), "to": instant_text(end_of_day(asked_day(now, zone) + _AHEAD, zone))}


def free_starts(free: Sequence[Mapping[str, str]], zone: str) -> list[str]:
    """Every half hour at which a booking of half an hour could begin."""
    starts = []
    for span in free:
        end = parse_instant(span["end"])
        moment = _next_half_hour(parse_instant(span["start"]).astimezone(ZoneInfo(zone)))
        while moment + _STEP <= end:
            starts.append(instant_text(moment))
            moment += _STEP
    return starts


def _next_half_hour(moment: datetime) -> datetime:
    over = timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
    return moment - over + _STEP if over else moment


def length_text(minutes: int) -> str:
    """30 min, 1.5 h."""
    if minutes < 60:
        return _("%(minutes)s min", minutes=minutes)
    hours = number(Decimal(minutes) / 60)
    return _("%(hours)s h", hours=hours)


def asked_day(now: datetime, zone: str) -> date:
    """The day in the address, else today at the place; never a day that is over."""
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        return max(today, date.fromisoformat(request.args.get("date", "")))
    except ValueError:
        return today
