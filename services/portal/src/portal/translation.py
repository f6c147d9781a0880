"""Texts in the visitor's language: gettext catalogues in ``translations/``, English without one."""

from __future__ import annotations

from functools import lru_cache
from gettext import NullTranslations
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.support import LazyProxy
from flask import Flask, g, has_request_context, request, session

from portal import catalogues

_ENGLISH = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "SG", "US", "ZA"})
# English stands in the source; another language is offered as soon as its catalogue lies in the folder.
LANGUAGES = ("en", *catalogues.languages())


def language() -> str:
    """The language of this page: chosen here before, else what the browser asks for."""
    if not has_request_context():
        return LANGUAGES[0]
    if "language" not in g:
        wish = session.get("language")
        g.language = wish if wish in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    return str(g.language)


def locale() -> Locale:
    """How numbers and dates are written: the language, in the organisation's country when that makes a locale."""
    if has_request_context() and "locale" in g:
        kept: Locale = g.locale
        return kept
    found = _locale(language(), g.get("country") if has_request_context() else None)
    if has_request_context():
        g.locale = found
    return found


@lru_cache
def _locale(tongue: str, country: str | None) -> Locale:
    # English elsewhere reads as in invoices and mails: €182.14, the day first, 24 hours.
    if tongue == "en" and country not in _ENGLISH:
        return Locale.parse("en_GB")
    try:
        return Locale.parse(f"{tongue}_{country}" if country else tongue)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(tongue)


@lru_cache
def _catalogue(tongue: str) -> NullTranslations:
    return NullTranslations() if tongue == LANGUAGES[0] else catalogues.load(tongue)


def gettext(text: str, **values: Any) -> str:
    """Translate; ``%(name)s`` in the text are filled in."""
    found = _catalogue(language()).gettext(text)
    return found % values if values else found


def ngettext(singular: str, plural: str, count: int, **values: Any) -> str:
    """Translate what depends on a number; ``%(num)s`` is the number."""
    return _catalogue(language()).ngettext(singular, plural, count) % {"num": count, **values}


def lazy_gettext(text: str) -> Any:
    """Translate when shown: for texts that are made once for all visitors."""
    return LazyProxy(gettext, text, enable_cache=False)


def language_choices() -> list[tuple[str, str]]:
    """Languages with their own names."""
    return [(code, (Locale.parse(code).display_name or code).capitalize()) for code in LANGUAGES]


def register_translation(app: Flask) -> None:
    """Give templates ``_()`` and ``{% trans %}``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(language=language, languages_offered=language_choices())
