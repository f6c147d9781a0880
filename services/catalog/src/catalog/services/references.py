"""What a request names must exist, and its money must be the organisation's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from catalog.models import Location, Plan, Resource
from common.db import TenantSession
from common.errors import FieldError, InvalidError, NotFoundError
from common.money import Money

Named = type[Location] | type[Plan] | type[Resource]


def require_known(session: TenantSession, kind: Named, ids: Sequence[UUID], field: str) -> None:
    """Raise NotFoundError with a pointer for the first id that is not of this organisation (ACC-1)."""
    if not ids:
        return
    known = set(session.scalars(select(kind.id).where(kind.id.in_(ids))))
    for place, wanted in enumerate(ids):
        if wanted not in known:
            name = kind.__tablename__
            detail = f"there is no such {name}"
            raise NotFoundError(f"{name}_not_found", detail, errors=[FieldError(f"/{field}/{place}", detail)])


def require_own_currency(
    session: TenantSession, amounts: Iterable[tuple[str, Money | Mapping[str, Any] | None]]
) -> None:
    """``amounts`` are (pointer, amount); raises InvalidError ``currency_mismatch`` for another currency (MON-1)."""
    own = session.organization.currency
    wrong = [pointer for pointer, amount in amounts if amount is not None and _currency(amount) != own]
    if wrong:
        detail = f"prices of this organisation are in {own}"
        raise InvalidError("currency_mismatch", detail, errors=[FieldError(pointer, detail) for pointer in wrong])


def _currency(amount: Money | Mapping[str, Any]) -> str:
    return amount.currency if isinstance(amount, Money) else str(amount["currency"])
