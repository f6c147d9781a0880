"""What members and companies have in common: billing profiles, location scope, who may change which field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.exc import IntegrityError

from common.auth import Principal
from common.db import TenantSession
from common.errors import ConflictError, FieldError, ForbiddenError
from contracts.taxes import spell_taxes
from members.models import Customer
from members.services.locations import check_locations
from members.services.vat_numbers import normal_vat_number

# What people may change themselves; how and when they are billed is the operator's to say.
OWN_FIELDS = frozenset({"name", "email", "phone", "language", "billing"})
_TAX_FIELDS = frozenset({"tax_percent", "tax_category", "taxes"})


def within_scope(principal: Principal, kind: type[Customer]) -> ColumnElement[bool]:
    """Customers that a staff user sees: those of the locations in scope and those of none (ACC-1)."""
    if principal.location_ids is None:
        return true()
    return or_(kind.location_id.is_(None), kind.location_id.in_(principal.location_ids))


def check_assignment(session: TenantSession, principal: Principal, values: Mapping[str, Any]) -> None:
    """Raise InvalidError for a location that is none, ForbiddenError for one outside of the caller's scope."""
    location_id = values.get("location_id")
    if location_id is None:
        return
    if principal.location_ids is not None and location_id not in principal.location_ids:
        raise ForbiddenError("location_not_in_scope", "you do not work at this location")
    check_locations(session, [location_id], "/location_id")


def check_own_fields(values: Mapping[str, Any]) -> None:
    """Raise ForbiddenError when a member would change what is the operator's to say."""
    refused = [f"/{name}" for name in values if name not in OWN_FIELDS]
    refused += [f"/billing/{name}" for name in values.get("billing") or {} if name in _TAX_FIELDS]
    if refused:
        errors = [FieldError(pointer, "Only staff may change this.") for pointer in sorted(refused)]
        raise ForbiddenError("field_not_allowed", "some of these fields only staff may change", errors=errors)


def merged_billing(session: TenantSession, present: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A billing profile after a change: entries replace those of the same name, None removes one (TAX-3).

    Raises InvalidError for taxes that do not fit together.
    """
    change = _spelled(present, change)
    merged = {name: value for name, value in {**present, **change}.items() if value is not None}
    if change.get("vat_number"):
        country = (merged.get("address") or {}).get("country") or session.organization.country
        merged["vat_number"] = normal_vat_number(change["vat_number"], country.upper())
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in merged.items()}


def _spelled(present: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Taxes by both forms; parallel ones have their categories themselves."""
    several = Decimal(present["tax_percent"]) if present.get("taxes") else None
    spelled = spell_taxes(change, several, pointer="/billing/taxes")
    return spelled | {"tax_category": None} if spelled.get("taxes") else spelled


def assign(session: TenantSession, row: Customer, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write changed fields to a row; returns them as the audit log shows them."""
    changes = dict(values)
    if "billing" in changes:
        changes["billing"] = merged_billing(session, row.billing or {}, changes["billing"] or {})
    for name, value in changes.items():
        setattr(row, name, value)
    return changes


def flush_unique(session: TenantSession, constraints: Collection[str]) -> None:
    """Write what is pending; raises ConflictError("email_taken") when one of these constraints refuses it."""
    try:
        session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) in constraints:
            raise ConflictError(
                "email_taken",
                "somebody else has this e-mail address already",
                errors=[FieldError("/email", "Taken.")],
            ) from error
        raise
