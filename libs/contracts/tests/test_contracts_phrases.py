"""Phrases of the services in the reader's language: ours are told anew, everybody else's stay."""

from __future__ import annotations

import pytest

from common.money import Money
from contracts.phrases import translated


def written(money: Money) -> str:
    return f"<{money.amount_minor} {money.currency}>"


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("Rate: Rooms, 3 hours or more.", "Preis: Rooms, 3 hours or more."),
        ("2.5 hours × 15.00 EUR = 37.50 EUR.", "2,5 Stunden × 15,00 EUR = 37,50 EUR."),
        ("1 day at the weekend × 5000 JPY = 5000 JPY.", "1 Tag am Wochenende × 5000 JPY = 5000 JPY."),
        ("50 min rounded up to 1 h, the charge slot.", "50 Min., aufgerundet auf 1 Std. (Abrechnungstakt)."),
        ("Discount 12.5 %: -4.50 EUR.", "Rabatt 12,5 %: -4,50 EUR."),
        ("Coffee: large: 4.50 EUR.", "Coffee: large: 4,50 EUR."),
        ("Promo code TOTAL, 10 %: -4.50 EUR.", "Aktionscode TOTAL, 10 %: -4,50 EUR."),
        ("17 of 28 days, 3 paused, 12.5 % off", "17 von 28 Tagen, 3 pausiert, 12,5 % Nachlass"),
        ("once, at the start", "einmalig, zu Beginn"),
    ],
)
def test_a_phrase_is_told_in_german_and_english_stays_as_it_is(text: str, german: str) -> None:
    assert translated("de", text) == german
    assert translated("en", text) == text


@pytest.mark.parametrize(
    "text",
    ["", "Projector for 3 hours", "Full month of fun", "full month, as we agreed", "45.00 EUR", "{number} hours"],
)
def test_what_is_not_wholly_ours_stays_as_it_is_amounts_too(text: str) -> None:
    assert translated("de", text, written) == text
    assert translated("en", text, written) == text


@pytest.mark.parametrize("language", ["en", "de"])
def test_amounts_are_written_as_the_reader_does_and_names_are_left_alone(language: str) -> None:
    assert "<-450 EUR>" in translated(language, "Discount 10 %: -4.50 EUR.", written)
    assert "<4500 JPY>" in translated(language, "Total: 4500 JPY.", written)
    assert "<1234 KWD>" in translated(language, "Total: 1.234 KWD.", written)
    assert "From 9.00 EUR on." in translated(language, "Rate: From 9.00 EUR on.", written)


def test_a_language_without_words_is_told_in_english() -> None:
    assert translated("fr", "full month") == "full month"
    assert translated("fr", "Total: 45.00 EUR.", written) == "Total: <4500 EUR>."
