"""Whose a row is: lists of the API carry their customers' names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask

from portal.translation import gettext as _

Row = Mapping[str, Any]


def customer_id(row: Row) -> str | None:
    """The id of the member or company whose row it is."""
    customer = row.get("customer") or {}
    for part in (row, customer):
        if found := part.get("member_id") or part.get("company_id"):
            return str(found)
    return None


def customer_name(row: Row) -> str:
    """What to show for a row's customer."""
    name = (row.get("customer") or {}).get("name") or row.get("customer_name")
    return str(name) if name else _("Member") if customer_id(row) else "–"


def by_id(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by their ids."""
    return {str(row["id"]): row for row in rows}


def register_names(app: Flask) -> None:
    """Give templates these as filters."""
    app.jinja_env.filters.update(customer_id=customer_id, customer_name=customer_name)
