"""Promo codes: create, change, archive (GH-3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from catalog.domain.promo_codes import canonical_code, check_counting, check_validity, check_value
from catalog.messages.publishes import promo_code_changed
from catalog.models import Location, Plan, PromoCode, Resource
from catalog.services.archiving import refuse_archived, set_archived
from catalog.services.references import Named, require_known, require_own_currency
from common.db import TenantSession
from common.errors import ConflictError, FieldError, NotFoundError
from common.messaging import outbox

_SCOPES: dict[str, Named] = {"plan_ids": Plan, "resource_ids": Resource, "location_ids": Location}


def create_promo_code(session: TenantSession, **values: Any) -> PromoCode:
    """Add a code; ``amount`` is Money. Raises ConflictError ``promo_code_taken`` for a code in use, whatever its case.

    InvalidError unless there is either a percentage or an amount in the organisation's currency, and for a limit on
    bookings and purchases at once; NotFoundError for things in the scope that do not exist.
    """
    currency = session.organization.currency
    promo_code = PromoCode(**_columns(session, values), currency=currency, created_at=session.now())
    _check(session, promo_code)
    session.add(promo_code)
    return _write(session, promo_code)


def find_promo_code(session: TenantSession, promo_code_id: UUID, *, lock: bool = False) -> PromoCode:
    """A promo code by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(PromoCode).where(PromoCode.id == promo_code_id)
    promo_code = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if promo_code is None:
        raise NotFoundError("promo_code_not_found", "there is no such promo code")
    return promo_code


def change_promo_code(session: TenantSession, promo_code: PromoCode, **values: Any) -> PromoCode:
    """Change a locked code's fields. Raises as `create_promo_code`, and if archived."""
    refuse_archived(promo_code)
    with session.no_autoflush:
        for name, value in _columns(session, values).items():
            setattr(promo_code, name, value)
        _check(session, promo_code)
    return _changed(session, promo_code)


def archive_promo_code(session: TenantSession, promo_code: PromoCode) -> None:
    """No longer accept a locked code; it is free to be used anew."""
    if set_archived(session, promo_code, archived=True):
        _changed(session, promo_code)


def restore_promo_code(session: TenantSession, promo_code: PromoCode) -> PromoCode:
    """Accept an archived code again. Raises ConflictError ``promo_code_taken`` when another one has it by now."""
    return _changed(session, promo_code) if set_archived(session, promo_code, archived=False) else promo_code


def _columns(session: TenantSession, values: dict[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "amount"}
    if "amount" in values:
        require_own_currency(session, [("/amount", values["amount"])])
        columns["amount_minor"] = None if values["amount"] is None else values["amount"].amount_minor
    if "code" in values:
        columns["code"] = canonical_code(values["code"])
    return columns


def _check(session: TenantSession, promo_code: PromoCode) -> None:
    check_value(promo_code.percent, promo_code.amount_minor)
    check_validity(promo_code.valid_from, promo_code.valid_until)
    check_counting(promo_code.scope, promo_code.max_uses, promo_code.max_uses_per_customer)
    for field, kind in _SCOPES.items():
        require_known(session, kind, [UUID(text) for text in promo_code.scope.get(field, ())], f"scope/{field}")


def _changed(session: TenantSession, promo_code: PromoCode) -> PromoCode:
    promo_code.touch()
    return _write(session, promo_code)


def _write(session: TenantSession, promo_code: PromoCode) -> PromoCode:
    try:
        session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "uq_promo_code_organization_id_code":
            raise
        detail = "there is a promo code of this name already"
        raise ConflictError("promo_code_taken", detail, errors=[FieldError("/code", detail)]) from error
    outbox.add(
        session, promo_code_changed(promo_code), aggregate_id=promo_code.id, aggregate_version=promo_code.version
    )
    return promo_code
