"""What stands on a page: brand and logo, words in the document's language, long documents (DOC-4)."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from contracts.phrases import translated
from invoicing.documents.brand import ACCENT, INK, PAPER, brand_of
from invoicing.documents.layout import document_layout
from invoicing.documents.typesetting import typeset

ISSUED = date(2027, 3, 1)


def picture() -> bytes:
    """A PNG of one blue pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0\x0b\x5f\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


LOGO = "data:image/png;base64," + base64.b64encode(picture()).decode()


def line(position: int, **values: Any) -> dict[str, Any]:
    return {
        "position": position,
        "kind": "membership",
        "description": f"Flex desk {position}",
        "explain": "17 of 28 days, 3 paused, 12.5 % off",
        "details": [],
        "period_start": "2027-02-12",
        "period_end": "2027-03-01",
        "quantity": "1",
        "unit_price_minor": 30000,
        "discount_percent": "0",
        "amount_minor": 18214,
        "net_minor": 18214,
        "prices_include_tax": False,
        "taxes": [{"category": "S", "percent": "19", "name": "", "reason": "", "amount_minor": 3461}],
        **values,
    }


def content(language: str = "de", lines: int = 1, **values: Any) -> dict[str, Any]:
    row = {"category": "AE", "percent": "0", "name": "", "reason": "Reverse charge", "taxable_minor": 1, "tax_minor": 0}
    return {
        "kind": "invoice",
        "number": "INV-2027-00002",
        "currency": "EUR",
        "language": language,
        "issue_date": "2027-03-01",
        "due_date": "2027-03-08",
        "customer": {"name": "Example Member", "address": {"city": "Lyon", "country": "FR"}},
        "seller": {"name": "Harbour Works", "country": "DE", "profile": {}},
        "lines": [line(n + 1) for n in range(lines)],
        "subtotal_minor": 18214,
        "tax_breakdown": [row],
        "tax_total_minor": 3461,
        "total_minor": 21675,
        **values,
    }


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


@pytest.mark.parametrize(
    ("colour", "fill", "on_fill", "accent"),
    [
        (None, ACCENT, PAPER, ACCENT),
        ("#0b5fff", "#0b5fff", PAPER, "#0b5fff"),
        ("#ffd400", "#ffd400", INK, INK),
        ("#FFFFFF", "#FFFFFF", INK, INK),
    ],
)
def test_a_brand_colour_stays_readable(colour: str | None, fill: str, on_fill: str, accent: str) -> None:
    brand = brand_of({"brand_colour": colour})
    assert (brand.fill, brand.on_fill, brand.accent) == (fill, on_fill, accent)


@pytest.mark.parametrize("logo", [None, "", "https://harbour.example/logo.png", "data:image/png;base64,#"])
def test_a_logo_that_is_not_in_the_profile_is_not_fetched(logo: str | None) -> None:
    assert brand_of({"logo": logo}).logo is None


def test_the_logo_stands_on_the_page_and_equal_pages_are_equal_bytes() -> None:
    brand = brand_of({"logo": LOGO, "brand_colour": "#0b5fff"})
    made = [typeset(document_layout(content(), brand=brand), ISSUED, logo=brand.logo) for _ in range(2)]
    assert made[0] == made[1]
    (page,) = PdfReader(BytesIO(made[0])).pages
    assert len(page.images) == 1


def test_a_logo_that_is_no_picture_does_not_stop_the_invoice() -> None:
    pdf = typeset(document_layout(content()), ISSUED, logo=b"no picture")
    assert "INV-2027-00002" in words(pdf)


def test_what_we_say_by_ourselves_is_said_in_the_documents_language() -> None:
    german = words(typeset(document_layout(content("de")), ISSUED))
    for phrase in (
        "17 von 28 Tagen, 3 pausiert, 12,5 % Nachlass",
        "Steuerschuldnerschaft des Leistungsempfängers",
        "Frankreich",
        "12. Februar 2027 – 28. Februar 2027",
        "19 %",
        "182,14 €",
    ):
        assert phrase in german.replace("\u00a0", " "), german
    english = words(typeset(document_layout(content("en")), ISSUED))
    for phrase in ("17 of 28 days, 3 paused, 12.5 % off", "Reverse charge", "France", "19%", "€182.14"):
        assert phrase in english, english


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("full month", "voller Monat"),
        ("full 3 months, not prorated", "volle 3 Monate, nicht anteilig"),
        ("11 of 31 days unused", "11 von 31 Tagen nicht genutzt"),
        ("once, refundable", "einmalig, wird zurückgezahlt"),
        ("Somebody's own words, 3 of them", "Somebody's own words, 3 of them"),
    ],
)
def test_only_our_own_phrases_are_translated(text: str, german: str) -> None:
    assert translated("de", text) == german
    assert translated("en", text) == text


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("3 hours", "3 Stunden"),
        ("0.5 hours off-hours", "0,5 Stunden außerhalb der Geschäftszeiten"),
        ("1 day at the weekend", "1 Tag am Wochenende"),
        ("1 half-day", "1 halber Tag"),
        ("2.5 credits for 2.5 h", "2,5 Guthabenstunden für 2,5 Std."),
        ("Booking, agreed price", "Buchung, vereinbarter Preis"),
        ("Discount 12.5 %", "Rabatt 12,5 %"),
        ("Promo code SPRING, 10 %", "Aktionscode SPRING, 10 %"),
        ("Promo code SPRING", "Aktionscode SPRING"),
        ("Projector for 3 hours", "Projector for 3 hours"),
        ("Discount coffee", "Discount coffee"),
    ],
)
def test_how_a_booking_is_priced_is_said_in_the_documents_language(text: str, german: str) -> None:
    detail = {"description": text, "quantity": "1", "unit_price": {"amount_minor": 1500, "currency": "EUR"}}
    for language, said in (("de", german), ("en", text)):
        page = words(typeset(document_layout(content(language) | {"lines": [line(1, details=[detail])]}), ISSUED))
        assert f"{said}: 1 ×" in page.replace("\u00a0", " "), page


def test_sixty_lines_run_over_pages_that_repeat_the_head_and_are_numbered() -> None:
    pdf = typeset(document_layout(content(lines=60)), ISSUED)
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert f"Seite {number} / {len(pages)}" in text
    assert all("Beschreibung" in page.extract_text() for page in list(pages)[:2])
    assert all(f"Flex desk {n}" in words(pdf) for n in (1, 30, 60))
