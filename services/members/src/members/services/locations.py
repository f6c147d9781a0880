"""Copies of the catalogue's locations."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.errors import FieldError, InvalidError
from members.models import LocationCopy


def keep_location(session: TenantSession, location_id: UUID, *, name: str, archived: bool, version: int) -> None:
    """Store a location's newest state; an older one changes nothing."""
    statement = insert(LocationCopy).values(
        id=location_id, organization_id=session.organization_id, name=name, archived=archived, version=version
    )
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"name": new.name, "archived": new.archived, "version": new.version},
            where=LocationCopy.version < new.version,
        )
    )


def check_locations(session: TenantSession, location_ids: Iterable[UUID | None], pointer: str) -> None:
    """Raise InvalidError when one of the ids (None apart) is no open location of this organisation."""
    wanted = {location_id for location_id in location_ids if location_id is not None}
    if not wanted:
        return
    here = select(func.count(LocationCopy.id)).where(LocationCopy.id.in_(wanted), LocationCopy.archived.is_(False))
    found = session.scalar(here)
    if found != len(wanted):
        raise InvalidError(
            "unknown_location", "there is no such location", errors=[FieldError(pointer, "No such location.")]
        )
