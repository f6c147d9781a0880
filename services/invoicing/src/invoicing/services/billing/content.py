"""What an issued invoice says, for good: its canonical bytes (DOC-3).

The fields stand in the order of the alphabet, in which `canonical_bytes` sorts keys: the structures of a run's many
invoices are encoded without sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from invoicing.domain.hashing import plain, plain_decimal
from invoicing.services.canonical import encode_sorted


class _LineContent(msgspec.Struct):
    amount_minor: int
    description: str
    details: Any
    discount_minor: int
    discount_percent: str
    explain: str | None
    kind: str
    net_minor: int
    period_end: date | None
    period_start: date | None
    position: int
    prices_include_tax: bool
    quantity: str
    tax_minor: int
    taxes: list[dict[str, Any]]
    total_minor: int
    unit_price_minor: int


class _InvoiceContent(msgspec.Struct):
    currency: str
    customer: Any
    discount_total_minor: int
    discounts: list[dict[str, Any]]
    due_date: date
    id: UUID
    issue_date: date
    kind: str
    language: str
    lines: list[_LineContent]
    note: str | None
    number: str
    seller: msgspec.Raw
    subtotal_minor: int
    tax_breakdown: list[dict[str, Any]]
    tax_total_minor: int
    total_minor: int


def invoice_content(seller: bytes, invoice: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> bytes:
    """The canonical bytes of an invoice from its row and its lines' rows; ``seller`` has its canonical bytes already.

    Raises TypeError for what has no exact form.
    """
    content = _InvoiceContent(
        currency=invoice["currency"],
        customer=plain(invoice["customer"]),
        discount_total_minor=invoice["discount_total_minor"],
        discounts=invoice["discounts"],
        due_date=invoice["due_date"],
        id=invoice["id"],
        issue_date=invoice["issue_date"],
        kind="invoice",
        language=invoice["language"],
        lines=[_line_content(line) for line in lines],
        note=invoice["note"],
        number=invoice["number"],
        seller=msgspec.Raw(seller),
        subtotal_minor=invoice["subtotal_minor"],
        tax_breakdown=invoice["tax_breakdown"],
        tax_total_minor=invoice["tax_total_minor"],
        total_minor=invoice["total_minor"],
    )
    return encode_sorted(content)


def _line_content(line: Mapping[str, Any]) -> _LineContent:
    details = line["details"]
    return _LineContent(
        amount_minor=line["amount_minor"],
        description=line["description"],
        details=plain(details) if details else details,
        discount_minor=line["discount_minor"],
        discount_percent=plain_decimal(line["discount_percent"]),
        explain=line["explain"],
        kind=line["kind"],
        net_minor=line["net_minor"],
        period_end=line["period_end"],
        period_start=line["period_start"],
        position=line["position"],
        prices_include_tax=line["prices_include_tax"],
        quantity=plain_decimal(line["quantity"]),
        tax_minor=line["tax_minor"],
        taxes=line["taxes"],
        total_minor=line["total_minor"],
        unit_price_minor=line["unit_price_minor"],
    )
