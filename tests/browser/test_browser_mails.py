"""Every mail in the browser: as wide as a telephone, with words that are wider, and readable by everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from mail_house import HOUSE as USUAL_HOUSE
from playwright.sync_api import Browser

from common.money import Money
from notifications.domain.templates import LANGUAGES, TEMPLATES
from notifications.mail.rendering import render
from notifications.mail.samples import sample
from notifications.mail.wordings import built_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Nothing in a mail may be wider than a telephone, a long name neither.
HOUSE = replace(USUAL_HOUSE, name="Genossenschaft für gemeinschaftliches Arbeiten am Wasser Hamburg-Wilhelmsburg eG")
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsverein-Hauptversammlungsgebäude"
PHONE, DESK = 375, 800
# One of each shape: lines and a total, facts with a list, words and a button, small print, several tables.
SHAPES = ("invoice", "booking-confirmed", "payment-failed", "sign-in-link", "notification-failed")
# What a page has and a mail has not: regions and headings of a whole document.
PAGE_ONLY = {"landmark-one-main", "region", "page-has-heading-one"}


def stretched(value: Any, name: str = "") -> Any:
    """The same data with a word that fits on no telephone in each text, and with many lines."""
    if isinstance(value, Mapping):
        grown = {key: stretched(inner, key) for key, inner in value.items()}
        return grown | {"others": _weeks(grown)} if "others" in grown and "start" in grown else grown
    if isinstance(value, list):
        return [stretched(inner) for inner in value for _ in range(12)]
    fixed = {"link", "timezone"}
    return f"{value} {LONG_WORD}" if isinstance(value, str) and value and name not in fixed else value


def _weeks(booking: Mapping[str, Any]) -> list[dict[str, Any]]:
    day = timedelta(days=7)
    return [{**booking, "start": booking["start"] + n * day, "end": booking["end"] + n * day} for n in range(1, 13)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mail_fits_on_a_telephone_and_on_a_desk_whatever_stands_in_it(
    chromium: Browser, template: str, language: str
) -> None:
    data = stretched(sample(template, HOUSE))
    if "invoice" in data:
        data["invoice"]["lines"].append({"description": LONG_WORD, "total": Money(123_456_789_00, "EUR")})
    mail = render(built_in(template, language), data, HOUSE, language)
    page = chromium.new_page()
    try:
        page.set_content(mail.html)
        for width in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": 600})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        page.close()


@pytest.mark.parametrize("template", SHAPES)
def test_a_mail_can_be_read_by_everybody(chromium: Browser, template: str) -> None:
    mail = render(built_in(template, "en"), sample(template, HOUSE), HOUSE, "en")
    page = chromium.new_page(viewport={"width": PHONE, "height": 600})
    try:
        page.set_content(mail.html)
        found = Axe().run(page).response["violations"]
    finally:
        page.close()
    assert {fault["id"] for fault in found} <= PAGE_ONLY, found
