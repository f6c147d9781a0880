"""Taxes as requests name them and as rows keep them: one by its short form, or several parallel ones (TAX-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import FieldError, InvalidError
from contracts.taxes import spell_taxes
from invoicing.domain.taxes import Taxes, parallel_taxes, tax_of
from invoicing.models import BillingSettings, Customer, Fee, Location, Plan

StoredTaxes = list[dict[str, str]]


def named_taxes(taxes: Sequence[Mapping[str, Any]]) -> Taxes:
    """``[{name, percent, category}]`` as the domain's taxes. Raises InvalidError for what does not fit together."""
    return parallel_taxes(
        [tax_of(Decimal(each["percent"]), each.get("category"), name=each.get("name") or "") for each in taxes]
    )


def stored(taxes: Taxes) -> StoredTaxes:
    """Taxes as a row keeps them."""
    return [{"name": tax.name, "percent": format(tax.percent, "f"), "category": tax.category} for tax in taxes]


def spell_fee_taxes(values: dict[str, Any], fee: Fee | None = None) -> dict[str, Any]:
    """`contracts.taxes.spell_taxes` for a (changed) fee: with taxes of its own it leaves those that were listed."""
    several = fee.tax_percent if fee is not None and fee.shown_taxes else None
    spelled = spell_taxes(values, several)
    return spelled | {"listed_taxes": None} if "taxes" in spelled else spelled


ACCOUNT = "revenue_account"
WHOSE: dict[str, Any] = {
    "member_id": Customer,
    "company_id": Customer,
    "location_id": Location,
    "plan_id": Plan,
    ACCOUNT: None,
}


def stored_overrides(session: TenantSession, overrides: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Taxes of single customers, locations, plans and revenue accounts as the settings keep them.

    Raises InvalidError with the place of what does not exist or is named twice.
    """
    named = [next((name, each[name]) for name in WHOSE if each.get(name) is not None) for each in overrides]
    existing = _existing(session, named)
    kept, seen = [], set()
    for position, (override, (name, whose)) in enumerate(zip(overrides, named, strict=True)):
        if whose not in existing or whose in seen:
            raise InvalidError(
                "tax_override_invalid",
                "these taxes are for something that does not exist, or has some already",
                errors=[FieldError(f"/tax_overrides/{position}/{name}", "Unknown, or named twice.")],
            )
        seen.add(whose)
        kept.append({name: str(whose), "taxes": stored(named_taxes(override["taxes"]))})
    return kept


def _existing(session: TenantSession, named: Sequence[tuple[str, Any]]) -> set[Any]:
    """Which of the things named exist in the organisation; a revenue account is just a name."""
    found: set[Any] = {whose for name, whose in named if name == ACCOUNT}
    for kind in (Customer, Location, Plan):
        ids = [whose for name, whose in named if WHOSE[name] is kind]
        mine = select(kind.id).where(kind.id.in_(ids), kind.organization_id == session.organization_id)
        found.update(session.scalars(mine) if ids else ())
    return found


def overriding_taxes(settings: BillingSettings) -> dict[UUID | str, Taxes]:
    """The taxes that the settings give single customers, locations and plans by their ids, and revenue accounts."""
    return {
        value if name == ACCOUNT else UUID(value): named_taxes(override["taxes"])
        for override in settings.tax_overrides
        for name, value in override.items()
        if name in WHOSE
    }
