"""What services say in sentences of their own: how a price came about, why a line is on an invoice.

They are said in English, for the API and the books; documents and pages show them in the reader's language. Only what
is wholly one of these phrases is told in another one: rates, plans, extras and notes are the operator's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from common.money import Money, currency_exponent

# Each phrase as it is said in English -> in other languages. In braces: what differs, see `_HOLES`. Where several fit,
# the first one holds.
_WORDS: dict[str, dict[str, str]] = {
    "de": {
        # Invoicing: why a line costs what it costs. Such phrases also stand side by side, with commas between.
        "{number} of {of} days unused": "{number} von {of} Tagen nicht genutzt",
        "{number} of {of} days more": "{number} von {of} Tagen zusätzlich",
        "{number} of {of} days": "{number} von {of} Tagen",
        "full {number} weeks": "volle {number} Wochen",
        "full {number} months": "volle {number} Monate",
        "full {number} years": "volle {number} Jahre",
        "full week": "volle Woche",
        "full month": "voller Monat",
        "full year": "volles Jahr",
        "not prorated": "nicht anteilig",
        "{number} paused": "{number} pausiert",
        "{number} % off": "{number} % Nachlass",
        "once, at the start": "einmalig, zu Beginn",
        "once, refundable": "einmalig, wird zurückgezahlt",
        # Invoicing: why a credit note was made, and why there is no tax.
        "membership ended": "Mitgliedschaft beendet",
        "membership paused": "Mitgliedschaft pausiert",
        "membership resumed": "Mitgliedschaft fortgesetzt",
        "booking changed": "Buchung geändert",
        "amended": "geändert",
        "Exempt from tax": "Steuerfrei",
        "Reverse charge": "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge)",
        "Intra-community supply": "Innergemeinschaftliche Lieferung",
        "Export outside the EU": "Ausfuhr in ein Drittland",
        "Not subject to tax": "Nicht steuerbar",
        "Refundable deposit": "Kaution, wird zurückgezahlt",
        # Booking: its lines.
        "{number} hour{when}": "{number} Stunde{when}",
        "{number} hours{when}": "{number} Stunden{when}",
        "{number} half-day{when}": "{number} halber Tag{when}",
        "{number} half-days{when}": "{number} halbe Tage{when}",
        "{number} day{when}": "{number} Tag{when}",
        "{number} days{when}": "{number} Tage{when}",
        "{number} week{when}": "{number} Woche{when}",
        "{number} weeks{when}": "{number} Wochen{when}",
        "{number} month{when}": "{number} Monat{when}",
        "{number} months{when}": "{number} Monate{when}",
        " off-hours": " außerhalb der Geschäftszeiten",
        " at the weekend": " am Wochenende",
        "{number} credit for {of} h": "{number} Guthabenstunde für {of} Std.",
        "{number} credits for {of} h": "{number} Guthabenstunden für {of} Std.",
        "Booking, agreed price": "Buchung, vereinbarter Preis",
        "Discount {number} %": "Rabatt {number} %",
        "Promo code {code}, {number} %": "Aktionscode {code}, {number} %",
        "Promo code {code}": "Aktionscode {code}",
        # Booking: how its price came about.
        "{number} h {of} min": "{number} Std. {of} Min.",
        "{number} h": "{number} Std.",
        "{number} min": "{number} Min.",
        "Rate: {name}.": "Preis: {name}.",
        "{asked} rounded up to {billed}, the charge slot.": "{asked}, aufgerundet auf {billed} (Abrechnungstakt).",
        "{line} × {price} = {amount}.": "{line} × {price} = {amount}.",
        "By the hour it would be {amount}.": "Nach Stunden wären es {amount}.",
        "This resource is free.": "Das ist kostenlos.",
        "Free of charge, by staff.": "Kostenlos, vom Team so festgelegt.",
        "Agreed price: {amount}.": "Vereinbarter Preis: {amount}.",
        "Total: {amount}.": "Summe: {amount}.",
        "{line}: {amount}.": "{line}: {amount}.",
    },
}
_NUMBER, _SPAN = r"\d+(?:\.\d+)?", r"(?:\d+ h)?(?: ?\d+ min)?"
_AMOUNT = rf"-?{_NUMBER} [A-Z]{{3}}"
# What may stand in the place of a name in braces.
_HOLES = {
    "number": _NUMBER,
    "of": _NUMBER,
    "amount": _AMOUNT,
    "price": _AMOUNT,
    "asked": _SPAN,
    "billed": _SPAN,
    "when": "(?: off-hours| at the weekend)?",
    "code": r"[^\s,]+",
    "line": ".+",
    "name": ".+",
}
_DECIMAL_MARKS = {"de": ","}
ENGLISH = "en"

Write = Callable[[Money], str]


def translated(language: str, text: str, write: Write | None = None) -> str:
    """One of our own phrases in a language: ``17 of 28 days`` is ``17 von 28 Tagen``; other texts stay as they are.

    ``write`` puts amounts down as the reader does; without it they keep their currency's code behind them.
    """
    if language not in (ENGLISH, *_WORDS):
        language = ENGLISH
    found = _recognised(text)
    if found is not None:
        return _told(language, *found, write)
    parts = text.split(", ")
    if len(parts) > 1 and all(map(_recognised, parts)):
        return ", ".join(translated(language, part, write) for part in parts)
    return text


def _told(language: str, english: str, holes: dict[str, str], write: Write | None) -> str:
    """A phrase whose holes are filled in again, each as the language has it."""
    words = _WORDS.get(language, {}).get(english, english)
    return words.format(**{name: _filled(language, name, text, write) for name, text in holes.items()})


def _filled(language: str, name: str, text: str, write: Write | None) -> str:
    if name in ("number", "of"):
        return _number(language, text)
    if name in ("amount", "price"):
        return write(_money(text)) if write else _number(language, text)
    return text if name in ("code", "name") else translated(language, text, write)


def _number(language: str, text: str) -> str:
    return text.replace(".", _DECIMAL_MARKS.get(language, "."))


def _money(text: str) -> Money:
    number, currency = text.split(" ")
    return Money(int(Decimal(number).scaleb(currency_exponent(currency))), currency)


@lru_cache(maxsize=4096)
def _recognised(text: str) -> tuple[str, dict[str, str]] | None:
    """The phrase that a text is, in English, and what stands in its holes."""
    for english, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(text):
            return english, found.groupdict()
    return None


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", english)
    return re.compile(
        "".join(f"(?P<{part}>{_HOLES[part]})" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )


_PATTERNS = {english: _pattern(english) for words in _WORDS.values() for english in words}
