"""Locations: create, change, archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from catalog.messages.publishes import location_changed
from catalog.models import Location
from common.db import TenantSession
from common.errors import NotFoundError
from common.messaging import outbox


def create_location(session: TenantSession, **values: Any) -> Location:
    """Open a location. ``timezone`` defaults to the organisation's. A code in use is refused by the database (409)."""
    values.setdefault("timezone", session.organization.timezone)
    location = Location(**values, created_at=session.now())
    session.add(location)
    session.flush()
    _announce(session, location)
    return location


def find_location(session: TenantSession, location_id: UUID, *, lock: bool = False) -> Location:
    """A location by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Location).where(Location.id == location_id)
    location = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if location is None:
        raise NotFoundError("location_not_found", "there is no such location")
    return location


def change_location(session: TenantSession, location: Location, **values: Any) -> Location:
    """Change a locked location's fields."""
    for name, value in values.items():
        setattr(location, name, value)
    location.touch()
    session.flush()
    _announce(session, location)
    return location


def _announce(session: TenantSession, location: Location) -> None:
    outbox.add(session, location_changed(location), aggregate_id=location.id, aggregate_version=location.version)
