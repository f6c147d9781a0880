"""Structured e-invoices after EN 16931: CII for Factur-X and UBL, made of what was issued (DOC-4).

factur-x writes the XML and checks it against the official schemas it ships. Its schematrons, the business rules, need
an XSLT 2 processor: the tests run them, over documents of every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from common.money import Money
from invoicing.documents.einvoice_checks import check_einvoice, is_outside_tax
from invoicing.domain.taxes import VATEX_CODES

Content = Mapping[str, Any]
Flavor = Literal["factur-x", "ubl-2.1"]
LEVEL = "en16931"
_UNIT = "C62"  # one piece (UN/ECE recommendation 20)


def einvoice_xml(content: Content, flavor: Flavor = "factur-x") -> bytes:
    """The XML of an issued invoice or credit note, valid by its schema. Raises InvalidError for what EN 16931 cannot
    say (parallel taxes on one line)."""
    from facturx import generate_xml

    values = einvoice_values(content)
    xml: bytes = generate_xml(values, flavor=flavor, level=LEVEL, check_xsd=True, check_schematron=False)
    return xml


def einvoice_values(content: Content) -> dict[str, Any]:
    """The business terms (BT) of EN 16931 for a document."""
    check_einvoice(content)
    money = _Amounts(content["currency"])
    is_credit = content["kind"] == "credit_note"
    lines = [_line(money, line) for line in content["lines"]]
    allowances = _allowances(money, content)
    values: dict[str, Any] = {
        "BT-1": content["number"],
        "BT-2": date.fromisoformat(content["issue_date"]),
        "BT-72": _delivered(content),
        "BT-3": "381" if is_credit else "380",
        "BT-5": content["currency"],
        "BG-4": _seller(content),
        "BG-7": _buyer(content),
        "BG-20": allowances,
        "BG-23": [_tax(money, row) for row in content["tax_breakdown"]],
        "BG-25": lines,
        "BT-106": money(sum(_line_net(line) for line in content["lines"])),
        "BT-109": money(content["subtotal_minor"]),
        "BT-110": money(content["tax_total_minor"]),
        "BT-112": money(content["total_minor"]),
        "BT-115": money(content["total_minor"]),
        **_payment(content),
    }
    if allowances:
        values["BT-107"] = money(_allowance_total(content))
    if any(row["category"] == "K" for row in content["tax_breakdown"]):
        values["BG-13"] = _party(content["customer"]["name"], *_place_of(content))
    if is_credit:
        invoice = {"BT-25": content["invoice_number"], "BT-26": date.fromisoformat(content["invoice_date"])}
        values["BG-3"] = [invoice]
    if content.get("note"):
        values["BG-1"] = [{"BT-22": content["note"]}]
    if content["customer"].get("purchase_order"):
        values["BT-13"] = content["customer"]["purchase_order"]
    return values


def _delivered(content: Content) -> date:
    """The last day that is invoiced, else the day of issue."""
    ends = [date.fromisoformat(line["period_end"]) for line in content["lines"] if line.get("period_end")]
    return max(ends) - timedelta(days=1) if ends else date.fromisoformat(content["issue_date"])


class _Amounts:
    """Writes minor units as the decimal numbers of XML."""

    def __init__(self, currency: str) -> None:
        self.currency = currency

    def __call__(self, minor: int) -> str:
        return format(Money(minor, self.currency).decimal(), "f")


def _party(name: str, address: Mapping[str, str], country: str) -> dict[str, Any]:
    party = {
        "name": name,
        "country_code": (address.get("country") or country).upper(),
        "city": address.get("city"),
        "postcode": address.get("postal_code"),
        "addr_l1": address.get("line1") or address.get("street"),
        "addr_l2": address.get("line2"),
    }
    return {key: value for key, value in party.items() if value}


def _seller(content: Content) -> dict[str, Any]:
    seller, profile = content["seller"], content["seller"]["profile"]
    party = _party(profile.get("legal_name") or seller["name"], profile.get("address") or {}, seller["country"])
    extra: dict[str, Any] = {
        "vat_identifier": None if is_outside_tax(content) else profile.get("vat_number"),
        "tax_identifier": profile.get("tax_number"),
        "legal_identifier": profile.get("registration_number"),
        "einvoicing_addr": profile.get("email"),
        "einvoicing_addr_schemeid": "EM" if profile.get("email") else None,
    }
    if profile.get("tax_number") and not (extra["vat_identifier"] or extra["legal_identifier"]):
        # A small business has no other number that the buyer could know it by (BR-CO-26).
        extra["identifiers"] = {"": profile["tax_number"]}
    return party | {key: value for key, value in extra.items() if value}


def _place_of(content: Content) -> tuple[Mapping[str, str], str]:
    """The buyer's address, and the country that it is in unless it says so."""
    return content["customer"].get("address") or {}, content["seller"]["country"]


def _buyer(content: Content) -> dict[str, Any]:
    customer = content["customer"]
    party = _party(customer["name"], *_place_of(content))
    extra = {
        "vat_identifier": None if is_outside_tax(content) else customer.get("vat_number"),
        "einvoicing_addr": customer.get("email"),
        "einvoicing_addr_schemeid": "EM" if customer.get("email") else None,
    }
    return party | {key: value for key, value in extra.items() if value}


def _payment(content: Content) -> dict[str, Any]:
    if content["kind"] == "credit_note":
        return {}
    bank = content["seller"]["profile"].get("bank") or {}
    values: dict[str, Any] = {"BT-9": date.fromisoformat(content["due_date"]), "BT-83": content["number"]}
    iban = (bank.get("iban") or bank.get("IBAN") or "").replace(" ", "")
    if not iban:
        return {**values, "BT-81": "1"}
    return {**values, "BT-81": "58", "BT-84": iban}


def _line_net(line: Content) -> int:
    """A line's net before the document's discount, which stands apart (but not where prices include tax)."""
    if line.get("prices_include_tax") or "amount_minor" not in line:
        return int(line["net_minor"])
    return int(line["amount_minor"])


def _line(money: _Amounts, line: Content) -> dict[str, Any]:
    tax = line["taxes"][0]
    net = _line_net(line)
    values: dict[str, Any] = {
        "BT-126": str(line["position"]),
        "BT-130": _UNIT,
        "BT-131": money(net),
        "BT-151": tax["category"],
        "BT-153": line["description"][:200],
        **_price(money, line, net),
    }
    if tax["category"] != "O":
        values["BT-152"] = _percent(tax["percent"])
    if line.get("explain"):
        values["BT-154"] = line["explain"]
    if line.get("period_start"):
        values["BT-134"] = date.fromisoformat(line["period_start"])
        values["BT-135"] = date.fromisoformat(line["period_end"]) - timedelta(days=1)
    return values


def _price(money: _Amounts, line: Content, net: int) -> dict[str, Any]:
    """Quantity and price where they multiply to the net amount exactly; else one piece at the net amount (a prorated
    month, a gross price): the description says how it came about."""
    quantity = Decimal(line.get("quantity") or 1)
    unit = line.get("unit_price_minor")
    if unit is not None and not line["prices_include_tax"] and quantity * unit == net:
        return {"BT-129": _plain(quantity), "BT-146": money(unit)}
    return {"BT-129": "1", "BT-146": money(net)}


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: str) -> str:
    return _plain(Decimal(value))


def _discount_of(line: Content) -> int:
    return 0 if line.get("prices_include_tax") else int(line.get("discount_minor") or 0)


def _allowance_total(content: Content) -> int:
    return sum(_discount_of(line) for line in content["lines"])


def _allowances(money: _Amounts, content: Content) -> list[dict[str, Any]]:
    """The document's discount, apart for each tax that it lowers."""
    by_tax: dict[tuple[str, str], int] = {}
    for line in content["lines"]:
        if _discount_of(line):
            key = (line["taxes"][0]["category"], line["taxes"][0]["percent"])
            by_tax[key] = by_tax.get(key, 0) + _discount_of(line)
    return [
        {
            "amount": money(amount),
            "reason": "Discount",
            "reason_code": "95",
            "vat_category_code": category,
            "vat_rate": _percent(percent),
        }
        for (category, percent), amount in by_tax.items()
    ]


def _tax(money: _Amounts, row: Content) -> dict[str, Any]:
    values = {
        "BT-116": money(row["taxable_minor"]),
        "BT-117": money(row["tax_minor"]),
        "BT-118": row["category"],
        "BT-119": "0" if row["category"] == "O" else _percent(row["percent"]),
    }
    if row["reason"]:
        values["BT-120"] = row["reason"]
    if row["category"] in VATEX_CODES:
        values["BT-121"] = VATEX_CODES[row["category"]]
    return values
