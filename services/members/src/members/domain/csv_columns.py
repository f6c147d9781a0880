"""The columns of a CSV file of members or companies, and how a row of texts becomes the fields of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SHARED = ("name", "email", "phone", "location", "billing_day", "auto_collect", "reminders", "language")
_BILLING = ("name", "vat_number", "email", "language", "purchase_order", "tax_percent", "tax_category")
_ADDRESS = ("street", "city", "postal_code", "region", "country")
_FLAGS = ("auto_collect", "reminders", "is_billing_person", "is_contact_person")
BILLING_COLUMNS = tuple(f"billing_{name}" for name in (*_BILLING, *_ADDRESS))
MEMBER_COLUMNS = (*_SHARED, "company", "is_billing_person", "is_contact_person", *BILLING_COLUMNS)
COMPANY_COLUMNS = (*_SHARED, *BILLING_COLUMNS)


class HeaderError(ValueError):
    """The first line does not name columns that we know."""


def check_header(header: Sequence[str], columns: Sequence[str]) -> None:
    """Raise HeaderError for unknown, repeated or missing columns."""
    unknown = [name for name in header if name not in columns]
    if unknown:
        raise HeaderError(f"unknown columns: {', '.join(unknown)}; known are {', '.join(columns)}")
    if len(set(header)) != len(header):
        raise HeaderError("a column stands there twice")
    if "name" not in header:
        raise HeaderError("there is no column name")


def delimiter_of(header_line: str) -> str:
    """``;`` for files of spreadsheets in countries with a decimal comma, tab, or ``,``."""
    return max(",;\t", key=header_line.count)


def fields_of(row: Mapping[str, str]) -> dict[str, Any]:
    """The API's fields of one row; empty cells are left out. ``location`` and ``company`` stay names.

    ``billing_day`` becomes a number if it is one, flags become booleans if they are; else the text stays, for the
    API's own checks to refuse.
    """
    cells = {name: cell.strip() for name, cell in row.items() if cell and cell.strip()}
    values: dict[str, Any] = {name: cell for name, cell in cells.items() if not name.startswith("billing_")}
    if "billing_day" in cells:
        values["billing_day"] = int(cells["billing_day"]) if _is_number(cells["billing_day"]) else cells["billing_day"]
    values |= {name: _flag(cells[name]) for name in _FLAGS if name in cells}
    billing: dict[str, Any] = {name: cells[f"billing_{name}"] for name in _BILLING if f"billing_{name}" in cells}
    address = {name: cells[f"billing_{name}"] for name in _ADDRESS if f"billing_{name}" in cells}
    if address:
        billing["address"] = address
    if billing:
        values["billing"] = billing
    return values


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def _flag(text: str) -> bool | str:
    known = {"yes": True, "true": True, "1": True, "y": True, "no": False, "false": False, "0": False, "n": False}
    return known.get(text.lower(), text)
