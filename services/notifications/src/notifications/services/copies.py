"""Copies of people and places: the newest state counts, in whatever order it arrives."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from notifications.models import CompanyCopy, LocationCopy, MemberCopy

Copy = type[MemberCopy] | type[CompanyCopy] | type[LocationCopy]


def keep_copy(session: TenantSession, kind: Copy, **values: Any) -> None:
    """Insert or update a copy unless a newer version is here. ``values`` are all its columns."""
    statement = insert(kind).values(organization_id=session.organization_id, **values)
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: new[name] for name in values if name != "id"},
            where=kind.version < new.version,
        )
    )
