"""Who sees and changes what of the catalogue (ACC-1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from common.auth import Role, current_principal
from common.auth.access import STAFF
from common.errors import NotFoundError

EVERYBODY = tuple(Role)
EDITORS = (Role.OWNER, Role.ADMIN)

__all__ = ["EDITORS", "EVERYBODY", "STAFF", "in_reach", "not_archived", "require_everywhere", "require_reach"]


def in_reach(location_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Condition: the location is one of those that the caller works for; members see all."""
    principal = current_principal()
    if principal.location_ids is None or not principal.is_staff:
        return true()
    return location_id.in_(principal.location_ids)


def require_reach(location_id: UUID) -> None:
    """Raise NotFoundError for staff of other locations."""
    principal = current_principal()
    if principal.is_staff and principal.location_ids is not None and location_id not in principal.location_ids:
        raise NotFoundError("not_found", "there is no such thing")


def require_everywhere() -> None:
    """Raise NotFoundError for staff of some locations only: what holds everywhere is not theirs to change."""
    if current_principal().location_ids is not None:
        raise NotFoundError("not_found", "there is no such thing")


def not_archived(archived_at: InstrumentedAttribute[Any], query: dict[str, Any]) -> ColumnElement[bool]:
    """Condition: in use; or archived, when staff asks for those."""
    if query["archived"] and current_principal().is_staff:
        return archived_at.is_not(None)
    return archived_at.is_(None)
