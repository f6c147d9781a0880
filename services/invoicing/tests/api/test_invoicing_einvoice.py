"""Structured e-invoices: valid by the official schemas, and their sums agree (DOC-4)."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from facturx import get_facturx_xml_from_pdf, xml_check_xsd
from lxml import etree
from pypdf import PdfReader

from contracts.members import CompanyChanged
from contracts.parts import BillingProfile

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


LINES = [
    {"description": "Setup", "quantity": "3", "unit_price": euro(1003), "discount_percent": "10", "tax_percent": "19"},
    {"description": "Book", "quantity": "2", "unit_price": euro(1250), "tax_percent": "7"},
]


@pytest.fixture
def house(build_house: Any) -> Any:
    """A seller with a VAT number."""
    return build_house(profile={"vat_number": "DE136695976"})


@pytest.fixture
def made(house: Any) -> Any:
    """An invoice with two rates and a discount, to a company with a VAT number."""
    billing = BillingProfile(
        name="Beispiel GmbH",
        address={"street": "Musterweg 7", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        vat_number="DE129273398",
    )
    from common.ids import encode_id, new_id

    company = new_id()
    house.feed(CompanyChanged(company_id=company, display_name="Beispiel", billing=billing, version=1))
    body = {"company_id": encode_id("com", company), "lines": LINES, "discounts": [{"amount": euro(500)}]}
    return house.post("/v1/invoices", body)


def test_the_cii_xml_is_valid_and_adds_up(house: Any, made: Any) -> None:
    answer = house.api.get(f"/v1/invoices/{made['id']}/xml")
    assert answer.content_type.startswith("application/xml")
    assert xml_check_xsd(answer.data, flavor="factur-x", level="en16931")
    tree = etree.fromstring(answer.data)
    sums = tree.find(f".//{RAM}SpecifiedTradeSettlementHeaderMonetarySummation")
    assert sums is not None
    amounts = {child.tag.removeprefix(RAM): Decimal(str(child.text)) for child in sums}
    assert amounts["LineTotalAmount"] - amounts["AllowanceTotalAmount"] == amounts["TaxBasisTotalAmount"]
    assert amounts["TaxBasisTotalAmount"] + amounts["TaxTotalAmount"] == amounts["GrandTotalAmount"]
    assert amounts["GrandTotalAmount"] * 100 == made["total"]["amount_minor"]


def test_the_ubl_xml_is_valid(house: Any, made: Any) -> None:
    answer = house.api.get(f"/v1/invoices/{made['id']}/xml?format=ubl")
    assert xml_check_xsd(answer.data, flavor="ubl-2.1-invoice")
    assert made["number"].encode() in answer.data


def test_factur_x_is_an_archive_pdf_with_the_xml_inside(house: Any, made: Any) -> None:
    answer = house.api.get(f"/v1/invoices/{made['id']}/pdf?format=factur-x")
    name, xml = get_facturx_xml_from_pdf(answer.data, check_xsd=True, check_schematron=False)
    assert name == "factur-x.xml"
    assert made["number"].encode() in xml
    reader = PdfReader(BytesIO(answer.data), strict=True)
    metadata = etree.fromstring(reader.trailer["/Root"]["/Metadata"].get_data().strip())
    texts = " ".join(metadata.itertext())
    assert "EN 16931" in texts
    assert b"pdfaid:part>3<" in etree.tostring(metadata) or b'pdfaid:part="3"' in etree.tostring(metadata)
    assert len(reader.pages) == 1
    assert answer.data == house.api.get(f"/v1/invoices/{made['id']}/pdf?format=factur-x").data


def test_a_credit_note_refers_to_its_invoice(house: Any, made: Any) -> None:
    note = house.post(f"/v1/invoices/{made['id']}/credit-notes")
    for format_, flavor in (("cii", "factur-x"), ("ubl", "ubl-2.1-creditnote")):
        xml = house.api.get(f"/v1/credit-notes/{note['id']}/xml?format={format_}").data
        assert xml_check_xsd(xml, flavor=flavor)
        assert made["number"].encode() in xml
    assert house.api.get(f"/v1/credit-notes/{note['id']}/pdf").data.startswith(b"%PDF")


def test_reverse_charge_gives_its_reason(house: Any, made: Any) -> None:
    """TAX-3."""
    lines = [{"description": "Consulting", "unit_price": euro(10000), "tax_category": "AE"}]
    made = house.post("/v1/invoices", {"company_id": made["company_id"], "lines": lines})
    assert made["tax_breakdown"][0]["reason"] == "Reverse charge"
    xml = house.api.get(f"/v1/invoices/{made['id']}/xml").data
    assert b"VATEX-EU-AE" in xml
    assert house.api.get(f"/v1/invoices/{made['id']}/xml?format=pdf").status_code == 422
