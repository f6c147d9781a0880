"""Names for ids in lists: one call for a whole page, never one per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.api import api
from portal.translation import gettext as _

Row = Mapping[str, Any]


def own_name(row: Row) -> str | None:
    """The customer's name as far as the row itself tells it."""
    customer = row.get("customer") or {}
    return customer.get("name") or row.get("customer_name") or row.get("member_name") or row.get("company_name")


def customer_names(rows: Iterable[Row]) -> dict[str, str]:
    """Names of the members and companies in these rows, by id; asks only for what the rows do not tell."""
    known: dict[str, str] = {}
    unknown: set[str] = set()
    for row in rows:
        who = customer_id(row)
        if who and (name := own_name(row)):
            known[who] = name
        elif who:
            unknown.add(who)
    for prefix, path in (("mem_", "/v1/members"), ("com_", "/v1/companies")):
        if any(who.startswith(prefix) and who not in known for who in unknown):
            known |= {item["id"]: item["name"] for item in api().items(path, limit=200, status="all", sort="name")}
    return known


def customer_id(row: Row) -> str | None:
    """Whose row it is."""
    customer = row.get("customer") or {}
    for part in (row, customer):
        if found := part.get("member_id") or part.get("company_id"):
            return str(found)
    return None


def customer_name(row: Row, names: Mapping[str, str]) -> str:
    """What to show for a row's customer."""
    who = customer_id(row)
    return own_name(row) or names.get(who or "") or (_("Member") if who else "–")


def by_id(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by their ids."""
    return {str(row["id"]): row for row in rows}
