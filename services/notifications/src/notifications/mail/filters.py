"""What templates can say beside words: money and dates in the reader's language, buttons, facts, lines.

Every filter knows whether it writes for the HTML or the plain-text part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from common.money import Money, currency_exponent
from notifications.domain.reasons import reason_in_words
from notifications.mail import style

_WIDTH = 58


def _is_text(context: Context) -> bool:
    return bool(context["mode"] != "html")


def money_text(value: Money, locale: str) -> str:
    """``1.234,50 €``: with the currency's own decimals (MON-1)."""
    places = currency_exponent(value.currency)
    amount = value.decimal().quantize(value.decimal().__class__(1).scaleb(-places))
    return format_currency(amount, value.currency, locale=locale, currency_digits=True)


def when_text(start: datetime, end: datetime, zone: str, locale: str) -> str:
    """``Monday, 15 February 2027, 09:00–12:00`` in the location's time; over several days both dates."""
    first, last = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    day, clock = format_date(first, "full", locale=locale), format_time(first, "short", locale=locale)
    until = format_time(last, "short", locale=locale)
    if first.date() == last.date():
        return f"{day}, {clock}\N{NO-BREAK SPACE}–\N{NO-BREAK SPACE}{until}"
    return f"{day}, {clock} – {format_date(last, 'full', locale=locale)}, {until}"


@pass_context
def _money(context: Context, value: Money) -> str:
    return money_text(value, context["locale"])


@pass_context
def _date(context: Context, value: date | datetime) -> str:
    return format_date(value, "long", locale=context["locale"])


@pass_context
def _instant(context: Context, value: datetime, zone: str) -> str:
    local, locale = value.astimezone(ZoneInfo(zone)), context["locale"]
    return f"{format_date(local, 'long', locale=locale)}, {format_time(local, 'short', locale=locale)}"


@pass_context
def _when(context: Context, booking: Mapping[str, Any]) -> str:
    return when_text(booking["start"], booking["end"], booking["timezone"], context["locale"])


@pass_context
def _reason(context: Context, code: str) -> str:
    return reason_in_words(code, context["locale"][:2])


@pass_context
def _button(context: Context, url: str, label: str) -> Markup:
    if _is_text(context):
        return Markup("<p>{}:<br>{}</p>").format(label, url)
    color = context["brand_color"]
    return style.BUTTON.format(url=_web_address(url), label=label, color=color, ink=style.ink_on(color))


def _web_address(url: str) -> str:
    return url if url.startswith(("https://", "http://", "mailto:")) else "#"


@pass_context
def _facts(context: Context, rows: Iterable[Sequence[Any]]) -> Markup:
    """Pairs of label and value; pairs without a value are left out."""
    told = [(label, value) for label, value in rows if value not in (None, "")]
    if _is_text(context):
        return Markup("<p>{}</p>").format(
            Markup("<br>").join(Markup("{}: {}").format(label, value) for label, value in told)
        )
    body = Markup("").join(style.FACT.format(label=label, value=value) for label, value in told)
    return style.TABLE.format(rows=body)


@pass_context
def _lines(context: Context, lines: Iterable[Mapping[str, Any]], total: Money, label: str) -> Markup:
    """A document's lines with amounts at the right, and the total below."""
    locale = context["locale"]
    rows = [(line["description"], money_text(line["total"], locale)) for line in lines]
    if _is_text(context):
        told = [_text_line(what, amount) for what, amount in rows]
        told += ["-" * _WIDTH, _text_line(label, money_text(total, locale))]
        return Markup("<pre>{}</pre>").format("\n".join(told))
    body = Markup("").join(style.LINE.format(what=what, amount=amount) for what, amount in rows)
    body += style.TOTAL.format(what=label, amount=money_text(total, locale))
    return style.TABLE.format(rows=body)


def _text_line(what: str, amount: str) -> str:
    """The amount at the right of the first line; what does not fit stands below, indented."""
    room = max(_WIDTH - len(amount) - 2, 10)
    first, *rest = wrap(" ".join(what.split()), room, subsequent_indent="  ") or [""]
    return "\n".join([f"{first:<{room}}  {amount}", *rest])


FILTERS: dict[str, Callable[..., Any]] = {
    "money": _money,
    "date": _date,
    "instant": _instant,
    "when": _when,
    "reason": _reason,
    "button": _button,
    "facts": _facts,
    "lines": _lines,
}
