"""What EN 16931 asks of a document before it can be an e-invoice; refused with what is to be done about it.

The official schematrons check the rest in the tests: what passes here breaks none of their rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from common.errors import InvalidError

_NEEDS_SELLER_VAT = frozenset({"K", "G"})
_NEEDS_BUYER_VAT = frozenset({"AE", "K"})


def check_einvoice(content: Mapping[str, Any]) -> None:
    """Raise InvalidError for a document that EN 16931 cannot say, or that lacks what it asks for."""
    _check_taxes(content)
    missing = list(_missing(content))
    if missing:
        raise InvalidError("einvoice_incomplete", "an e-invoice after EN 16931 needs " + " and ".join(missing))


def _check_taxes(content: Mapping[str, Any]) -> None:
    """A line has one VAT rate, each category and rate one row of the tax table, and "not subject" stands alone."""
    rows = [(row["category"], Decimal(row["percent"])) for row in content["tax_breakdown"]]
    if len(set(rows)) < len(rows) or any(len(line["taxes"]) > 1 for line in content["lines"]):
        names = ", ".join(f"{row['name'] or row['category']} {row['percent']} %" for row in content["tax_breakdown"])
        raise InvalidError(
            "einvoice_parallel_taxes",
            f"EN 16931 knows one VAT rate per line, no parallel taxes ({names}): send the PDF without the e-invoice",
        )
    categories = {category for category, _ in rows}
    if "O" in categories and len(categories) > 1:
        raise InvalidError(
            "einvoice_mixed_categories",
            "EN 16931 does not let category O (not subject to tax) stand beside others: make two invoices",
        )


def _missing(content: Mapping[str, Any]) -> Iterator[str]:
    """The numbers of seller and buyer that the document's categories ask for (BR-CO-26, BR-*-02)."""
    profile, buyer = content["seller"]["profile"], content["customer"]
    categories = {row["category"] for row in content["tax_breakdown"]}
    known = {name for name in ("vat_number", "tax_number", "registration_number") if profile.get(name)}
    if categories & _NEEDS_SELLER_VAT and "vat_number" not in known:
        yield "the organisation's VAT number"
    elif is_outside_tax(content) and not known - {"vat_number"}:
        yield "the organisation's tax number or registration number"
    elif not is_outside_tax(content) and not known - {"registration_number"}:
        yield "the organisation's VAT number or tax number"
    if categories & _NEEDS_BUYER_VAT and not buyer.get("vat_number"):
        yield "the customer's VAT number"


def is_outside_tax(content: Mapping[str, Any]) -> bool:
    """Whether nothing on it is subject to VAT: such a document names no VAT numbers (BR-O-02)."""
    return {row["category"] for row in content["tax_breakdown"]} == {"O"}
