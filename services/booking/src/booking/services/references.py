"""References of requests to what catalog owns: only to what is there, in the same organisation."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from booking.models import Location, Resource
from common.db import TenantSession
from common.errors import FieldError, InvalidError


def require_resources(session: TenantSession, ids: Iterable[UUID], pointer: str) -> None:
    """Raise InvalidError ``unknown_resource`` for the first id that is no resource here."""
    _require(session, Resource, "resource", list(ids), pointer)


def require_locations(session: TenantSession, ids: Iterable[UUID], pointer: str) -> None:
    """Raise InvalidError ``unknown_location`` for the first id that is no location here."""
    _require(session, Location, "location", list(ids), pointer)


def _require(
    session: TenantSession, model: type[Location] | type[Resource], kind: str, ids: list[UUID], pointer: str
) -> None:
    known = set(session.scalars(select(model.id).where(model.id.in_(ids)))) if ids else set()
    for number, each in enumerate(ids):
        if each not in known:
            detail = f"there is no such {kind}"
            raise InvalidError(f"unknown_{kind}", detail, errors=[FieldError(f"{pointer}/{number}", detail)])
