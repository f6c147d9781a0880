"""Parallel taxes as requests name them, rows keep them and messages carry them (TAX-2, TAX-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from common.errors import FieldError, InvalidError

# EN 16931 (UNCL 5305): standard, zero rated, exempt, reverse charge, intra-community, export, out of scope, IGIC, IPSI.
TAX_CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M")
_RATED = frozenset("SLM")
MOST_TAXES = 5


def spell_taxes(
    values: Mapping[str, Any], several: Decimal | None = None, *, pointer: str = "/taxes"
) -> dict[str, Any]:
    """Bring ``taxes`` and its short form, ``tax_percent`` and ``tax_category``, in step: the given one sets the other.

    Of parallel taxes ``tax_percent`` is the sum, by which those go who know of one tax only. ``several`` is the sum of
    those that are there now: when it is sent back as it was shown, they stay. Raises InvalidError, with the
    ``pointer``, for taxes that do not fit together.
    """
    if values.get("taxes"):
        taxes = [_kept(tax) for tax in values["taxes"]]
        _check(taxes, pointer)
        return {**values, "taxes": taxes, "tax_percent": _sum(taxes)}
    if "taxes" in values:
        return {"tax_percent": None, **values, "taxes": None}
    if several is not None and values.get("tax_percent") == several and values.get("tax_category") is None:
        return {name: value for name, value in values.items() if name not in ("tax_percent", "tax_category")}
    if "tax_percent" in values or "tax_category" in values:
        return {**values, "taxes": None}
    return dict(values)


def _kept(tax: Mapping[str, Any]) -> dict[str, str]:
    percent, category = Decimal(tax["percent"]), tax.get("category")
    if category in (None, "S"):
        category = "S" if percent else "Z"
    return {"name": tax.get("name") or "", "percent": format(percent, "f"), "category": category}


def _sum(taxes: Sequence[Mapping[str, str]]) -> Decimal:
    return sum((Decimal(tax["percent"]) for tax in taxes), Decimal(0))


def _check(taxes: Sequence[Mapping[str, str]], pointer: str) -> None:
    fault = _fault(taxes)
    if fault is not None:
        code, detail = fault
        raise InvalidError(code, detail, errors=[FieldError(pointer, detail)])


def _fault(taxes: Sequence[Mapping[str, str]]) -> tuple[str, str] | None:
    if len(taxes) > 1 and len({tax["name"] for tax in taxes} - {""}) < len(taxes):
        return "parallel_taxes_unnamed", "parallel taxes need names that tell them apart"
    if any(tax["category"] not in TAX_CATEGORIES for tax in taxes):
        return "invalid_tax_category", "tax categories are those of EN 16931"
    if any(Decimal(tax["percent"]) and tax["category"] not in _RATED for tax in taxes):
        return "invalid_tax_percent", "a tax of this category has no rate: it must be 0"
    if _sum(taxes) > 100:
        return "invalid_tax_percent", "parallel taxes are 100 per cent at most"
    return None
