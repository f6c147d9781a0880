"""How a booking's price came about, in the language of the document: its lines arrive as finished English texts.

Only a text that is wholly one of booking's own is translated; the names of extras are the operator's words.
"""

from __future__ import annotations

import re

_NUMBER = r"(?P<number>\d+(?:\.\d+)?)"
_UNITS = "hours?|half-days?|days?|weeks?|months?"
_TEXTS = (
    re.compile(rf"{_NUMBER} (?P<word>{_UNITS})(?P<when> off-hours| at the weekend)?"),
    re.compile(rf"{_NUMBER} (?P<word>credits?) for (?P<hours>\d+(?:\.\d+)?) h"),
    re.compile(r"(?P<word>Booking, agreed price)"),
    re.compile(rf"(?P<word>Discount) {_NUMBER} %"),
    re.compile(rf"(?P<word>Promo code) (?P<code>.+?)(?:, {_NUMBER} %)?"),
)
_WORDS = {
    "de": {
        "hour": "{number} Stunde{when}",
        "hours": "{number} Stunden{when}",
        "half-day": "{number} halber Tag{when}",
        "half-days": "{number} halbe Tage{when}",
        "day": "{number} Tag{when}",
        "days": "{number} Tage{when}",
        "week": "{number} Woche{when}",
        "weeks": "{number} Wochen{when}",
        "month": "{number} Monat{when}",
        "months": "{number} Monate{when}",
        " off-hours": " außerhalb der Geschäftszeiten",
        " at the weekend": " am Wochenende",
        "credit": "{number} Guthabenstunde für {hours} Std.",
        "credits": "{number} Guthabenstunden für {hours} Std.",
        "Booking, agreed price": "Buchung, vereinbarter Preis",
        "Discount": "Rabatt {number} %",
        "Promo code": "Aktionscode {code}{share}",
    },
}


def charge_text(language: str, text: str) -> str:
    """``2.5 hours at the weekend`` is ``2,5 Stunden am Wochenende``; what is not booking's own text stays as it is."""
    words = _WORDS.get(language)
    found = next(filter(None, (pattern.fullmatch(text) for pattern in _TEXTS)), None) if words else None
    if words is None or found is None:
        return text
    parts = {name: value or "" for name, value in found.groupdict().items()}
    numbers = {name: parts.get(name, "").replace(".", ",") for name in ("number", "hours")}
    share = f", {numbers['number']} %" if numbers["number"] else ""
    when = words.get(parts.get("when", ""), "")
    return words[parts["word"]].format(**numbers, when=when, share=share, code=parts.get("code", ""))
