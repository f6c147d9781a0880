"""The few words that go onto documents by themselves, in the languages that documents speak."""

from __future__ import annotations

from functools import lru_cache

_WORDS = {
    "en": {
        "setup_fee": "{name}: setup fee",
        "deposit": "{name}: refundable deposit",
        "cancellation": "Cancellation: {name}",
        "late_fee": "Late fee for invoice {name}",
        "resumed": "{name}: pause ended early",
    },
    "de": {
        "setup_fee": "{name}: Einrichtungsgebühr",
        "deposit": "{name}: Kaution",
        "cancellation": "Storno: {name}",
        "late_fee": "Mahngebühr zu Rechnung {name}",
        "resumed": "{name}: Pause früher beendet",
    },
}
LANGUAGES = tuple(_WORDS)


@lru_cache(maxsize=256)
def document_language(language: str | None) -> str:
    """The language a document is written in: ``de-AT`` is de, an unknown one English."""
    short = (language or "en").replace("_", "-").split("-")[0].lower()
    return short if short in _WORDS else "en"


def say(language: str | None, key: str, name: str) -> str:
    """``say("de", "deposit", "Büro 7")`` -> ``Büro 7: Kaution``."""
    return _WORDS[document_language(language)][key].format(name=name)
