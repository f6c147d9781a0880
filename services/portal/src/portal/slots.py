"""Choosing a time in a room: starts out of its free times, and a length. Members and strangers share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from portal.fields import ChoiceField, OneOfField
from portal.formats import clock_time, instant_text, number, parse_instant
from portal.forms import NEEDED, ApiForm
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_STEP = timedelta(minutes=30)
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


def offer_times(form: SlotForm, free: Sequence[Mapping[str, str]], zone: str) -> None:
    """Give the form the starts that are free, by the place's clock, and the usual lengths."""
    form.start.offer((start, clock_time(start, zone)) for start in free_starts(free, zone))
    form.minutes.offer((str(minutes), length_text(minutes)) for minutes in _LENGTHS)


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
