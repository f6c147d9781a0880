"""The catalogues are whole, fit the sources, and are what visitors read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal import catalogues
from portal.translation import LANGUAGES

_PLACE = re.compile(r"%\(\w+\)[sd]|%%")


@pytest.fixture(scope="module")
def texts() -> Any:
    return catalogues.extract()


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_translates_every_text_of_the_sources(texts: Any, language: str) -> None:
    """`make translations` takes new texts in; then they are to be translated."""
    assert catalogues.missing(catalogues.read_catalogue(language), texts) == []


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_holds_no_text_that_is_gone_from_the_sources(texts: Any, language: str) -> None:
    known = {str(text.id) for text in texts}
    assert [text.id for text in catalogues.read_catalogue(language) if str(text.id) not in known] == []


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_translation_fills_in_what_the_text_fills_in(language: str) -> None:
    wrong = []
    for text in catalogues.read_catalogue(language):
        asked = text.id if isinstance(text.id, tuple) else (text.id,)
        given = text.string if isinstance(text.string, tuple) else (text.string,)
        wanted = {frozenset(_PLACE.findall(part)) for part in asked}
        wrong += [part for part in given if text.id and frozenset(_PLACE.findall(part)) not in wanted]
    assert wrong == []


def test_german_is_offered() -> None:
    assert LANGUAGES == ("en", "de")


def test_a_stranger_reads_what_their_browser_asks_for(visitor: Any) -> None:
    headers = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
    page = visitor.client.get("/hub/harbour/", headers=headers).get_data(as_text=True)
    assert '<html lang="de">' in page
    assert "Mitgliedschaften" in page
    assert "300,00\N{NO-BREAK SPACE}€" in page
    other = visitor.client.get("/hub/harbour/", headers={"Accept-Language": "fr"}).get_data(as_text=True)
    assert '<html lang="en">' in other


def test_the_language_is_switched_on_every_page_and_remembered(visitor: Any) -> None:
    sent = visitor.send("/language", {"language": "de", "page": "/hub/harbour/"}, page="/hub/harbour/")
    assert sent.headers["Location"] == "/hub/harbour/"
    assert "Freie Zeiten ansehen" in visitor.read("/hub/harbour/")


def test_a_member_reads_their_profiles_language(visitor: Any, gateway: Any) -> None:
    import portal_house

    gateway.answers[("GET", "/v1/me")] = (200, {**portal_house.MEMBER_ME, "language": "de"})
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    visitor.send("/sign-in", form)
    page = visitor.read("/portal/harbour/bookings/bkg_1")
    assert "Eine Stornierung ist jetzt kostenlos." in page
    assert "Mo., 15. Feb., 09:00–12:00" in page


def test_a_fault_is_told_in_the_visitors_language(visitor: Any) -> None:
    visitor.client.post("/language", data={})
    visitor.send("/language", {"language": "de", "page": "/sign-in"}, page="/sign-in")
    page = visitor.send("/sign-in", {"organization": "", "email": "nobody"}).get_data(as_text=True)
    assert "Bitte ausfüllen." in page
    assert "Bitte geben Sie eine vollständige E-Mail-Adresse an." in page
