"""Who sees what: members their own, billing persons their company's, staff by location (ACC-1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from common.auth import Principal, Role, current_principal
from common.errors import NotFoundError
from invoicing.models import Customer

MANAGERS = (Role.OWNER, Role.ADMIN)
DESK = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)
READERS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
EVERYBODY = tuple(Role)


def own_payers(principal: Principal) -> list[UUID]:
    """The customers whose money a member may see."""
    ids = [principal.member_id]
    if principal.is_billing_person:
        ids.append(principal.company_id)
    return [each for each in ids if each is not None]


def only_visible(statement: Select[Any], model: Any) -> Select[Any]:
    """Narrow a list to what the caller may see."""
    principal = current_principal()
    if not principal.is_staff:
        mine = model.payer_id.in_(own_payers(principal))
        if hasattr(model, "is_personal") and principal.member_id is not None:
            mine = or_(mine, model.member_id == principal.member_id)
        return statement.where(mine)
    if principal.location_ids is not None:
        return statement.where(or_(model.location_id.in_(principal.location_ids), model.location_id.is_(None)))
    return statement


def check_visible(row: Any) -> None:
    """Raise NotFoundError for a row that the caller may not see."""
    principal = current_principal()
    if principal.is_staff:
        location_id = getattr(row, "location_id", None)
        seen = principal.location_ids is None or location_id is None or location_id in principal.location_ids
    else:
        mine = hasattr(row, "is_personal") and row.member_id is not None and row.member_id == principal.member_id
        seen = row.payer_id in own_payers(principal) or mine
    if not seen:
        raise NotFoundError("not_found", "there is no such thing")


def searched(statement: Select[Any], model: Any, text: str | None, *columns: Any) -> Select[Any]:
    """The filter ``q``: part of the payer's name or e-mail address, or of one of the columns, in any case."""
    if not text:
        return statement
    names = [column.icontains(text, autoescape=True) for column in (Customer.name, Customer.email)]
    payers = select(Customer.id).where(or_(*names))
    return statement.where(
        or_(model.payer_id.in_(payers), *(column.icontains(text, autoescape=True) for column in columns))
    )


def by_customer(statement: Select[Any], model: Any, query: Mapping[str, Any]) -> Select[Any]:
    """The filters ``member_id`` and ``company_id`` that many lists have."""
    for name in ("member_id", "company_id"):
        if query.get(name) is not None:
            statement = statement.where(getattr(model, name) == query[name])
    return statement
