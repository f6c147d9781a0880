"""Whose credits, passes and memberships count for a customer: one's own, and what one's company holds as a whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_


def held_by(model: Any, member_id: UUID | None, company_id: UUID | None) -> ColumnElement[bool]:
    """Condition: a row is the member's, or the company's and of none of its members.

    Who is not there owns nothing: ``column == None`` would find what all others have.
    """
    owned: list[ColumnElement[bool]] = []
    if member_id is not None:
        owned.append(model.member_id == member_id)
    if company_id is not None:
        owned.append(and_(model.company_id == company_id, model.member_id.is_(None)))
    return or_(false(), *owned)
