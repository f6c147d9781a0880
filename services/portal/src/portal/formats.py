"""Money, dates and times as people in the organisation's country write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal
from flask import Flask, g

from common.money import Money
from portal.translation import gettext as _
from portal.translation import locale


def organization_zone() -> str:
    """The organisation's time zone."""
    seat = g.get("seat")
    return str(seat.organization.get("timezone", "UTC")) if seat else str(g.get("zone", "UTC"))


def parse_instant(value: str | datetime) -> datetime:
    """An RFC 3339 time as an aware datetime."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def parse_date(value: str | date) -> date:
    """A civil date."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def local(value: str | datetime, zone: str | None = None) -> datetime:
    """An instant as wall time at a place; without one the organisation's."""
    return parse_instant(value).astimezone(ZoneInfo(zone or organization_zone()))


def money(value: Mapping[str, Any] | None) -> str:
    """``{"amount_minor": 18214, "currency": "EUR"}`` as €182.14."""
    if not value:
        return "–"
    return _written(value["amount_minor"], value["currency"], locale())


@lru_cache(maxsize=4096)
def _written(amount_minor: int, currency: str, as_in: Locale) -> str:
    """Pages repeat their prices, and writing one takes a while."""
    return format_currency(Money(amount_minor, currency).decimal(), currency, locale=as_in)


def day(value: str | date | None, style: str = "medium") -> str:
    """A civil date: 12 Feb 2027."""
    return format_date(parse_date(value), style, locale=locale()) if value else "–"


def weekday(value: str | date) -> str:
    """A day with its name, without the year: Mon 15 Feb."""
    return format_skeleton("MMMEd", _as_noon(parse_date(value)), locale=locale())


def next_day(value: str | date, days: int = 1) -> date:
    """A civil date so many days on."""
    return parse_date(value) + timedelta(days=days)


def month_name(value: str) -> str:
    """``2027-02`` as Feb 2027."""
    return format_skeleton("yMMM", _as_noon(date.fromisoformat(f"{value[:7]}-01")), locale=locale())


def moment(value: str | datetime | None, zone: str | None = None) -> str:
    """An instant as date and time at a place."""
    if not value:
        return "–"
    at = local(value, zone).replace(tzinfo=None)
    return f"{format_skeleton('yMMMd', at, locale=locale())}, {format_datetime(at, 'HH:mm', locale=locale())}"


def wall_text(value: str | datetime, zone: str | None = None) -> str:
    """An instant as wall time without a zone, for scripts and date fields: 2027-02-15T09:00."""
    return local(value, zone).strftime("%Y-%m-%dT%H:%M")


def clock_time(value: str | datetime | None, zone: str | None = None) -> str:
    """An instant as a time of day at a place."""
    return _time_text(local(value, zone).time(), locale()) if value else "–"


@lru_cache(maxsize=4096)
def _time_text(at: time, where: Locale) -> str:
    """Kept, for a calendar has hundreds of times, and few different ones."""
    return format_time(at, "short", locale=where)


def span(start: str, end: str, zone: str | None = None) -> str:
    """A booking's time: Mon 15 Feb, 09:00–12:00."""
    begin, finish = local(start, zone), local(end, zone)
    head = f"{weekday(begin.date())}, {clock_time(begin, zone)}"
    if begin.date() == finish.date():
        return f"{head}–{clock_time(finish, zone)}"
    return f"{head} – {weekday(finish.date())}, {clock_time(finish, zone)}"


def period(value: Mapping[str, str] | None) -> str:
    """A half-open period as its first and last day."""
    if not value:
        return ""
    first, last = parse_date(value["start"]), parse_date(value["end"]) - timedelta(days=1)
    return day(first) if first == last else f"{day(first)} – {day(last)}"


def number(value: str | int | Decimal | None) -> str:
    """A quantity or percentage without needless zeros."""
    return "–" if value is None else format_decimal(Decimal(str(value)), locale=locale())


def per_interval(plan: Mapping[str, Any]) -> str:
    """How often a plan is charged: a month, every 3 months, once."""
    if plan.get("kind") != "recurring":
        return _("once")
    count = int(plan.get("interval_count") or 1)
    one = {"week": _("a week"), "month": _("a month"), "year": _("a year")}
    many = {"week": _("weeks"), "month": _("months"), "year": _("years")}
    interval = plan.get("interval") or "month"
    return one[interval] if count == 1 else _("every %(count)s %(interval)s", count=count, interval=many[interval])


def sentence(text: str) -> str:
    """A detail of the API as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def as_json(value: Any) -> str:
    """Data of the API, laid out for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def initials(name: str | None) -> str:
    """For a round mark beside a name."""
    words = (name or "?").split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def instant_text(value: datetime) -> str:
    """For the API: UTC with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _as_noon(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, 12, tzinfo=UTC)


def register_formats(app: Flask) -> None:
    """Give templates these as filters."""
    filters = (
        money,
        day,
        weekday,
        next_day,
        moment,
        clock_time,
        span,
        period,
        number,
        per_interval,
        initials,
        sentence,
        as_json,
        wall_text,
    )
    app.jinja_env.filters.update({function.__name__: function for function in filters})
