"""Locations: create, change, archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from catalog.messages.publishes import location_changed
from catalog.models import Location, Resource
from catalog.services.archiving import refuse_archived, set_archived
from common.db import TenantSession
from common.errors import ConflictError, FieldError, NotFoundError
from common.messaging import outbox
from contracts.taxes import spell_taxes


def create_location(session: TenantSession, **values: Any) -> Location:
    """Open a location. ``timezone`` defaults to the organisation's.

    Raises InvalidError for taxes that do not fit together, ConflictError ``location_code_taken`` for a code in use.
    """
    values.setdefault("timezone", session.organization.timezone)
    location = Location(**spell_taxes(values), created_at=session.now())
    session.add(location)
    return _write(session, location)


def find_location(session: TenantSession, location_id: UUID, *, lock: bool = False) -> Location:
    """A location by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Location).where(Location.id == location_id)
    location = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if location is None:
        raise NotFoundError("location_not_found", "there is no such location")
    return location


def keep_open(session: TenantSession, location_id: UUID) -> Location:
    """A location that nobody else can archive before the transaction ends.

    Raises NotFoundError, or ConflictError ``archived``.
    """
    statement = select(Location).where(Location.id == location_id).with_for_update(read=True)
    location = session.scalars(statement).one_or_none()
    if location is None:
        raise NotFoundError("location_not_found", "there is no such location")
    refuse_archived(location)
    return location


def change_location(session: TenantSession, location: Location, **values: Any) -> Location:
    """Change a locked location's fields. Raises as `create_location`, and ConflictError ``archived``."""
    refuse_archived(location)
    for name, value in spell_taxes(values, location.tax_percent if location.taxes else None).items():
        setattr(location, name, value)
    return _changed(session, location)


def archive_location(session: TenantSession, location: Location) -> None:
    """Close a locked location for good. Raises ConflictError ``location_in_use`` while something there is on sale."""
    here = select(Resource.id).where(Resource.location_id == location.id, Resource.archived_at.is_(None)).limit(1)
    if session.scalar(here) is not None:
        raise ConflictError("location_in_use", "archive or move the resources of this location first")
    if set_archived(session, location, archived=True):
        _changed(session, location)


def restore_location(session: TenantSession, location: Location) -> Location:
    """Open an archived location again. Raises ConflictError ``location_code_taken`` when another one has its code."""
    return _changed(session, location) if set_archived(session, location, archived=False) else location


def _changed(session: TenantSession, location: Location) -> Location:
    location.touch()
    return _write(session, location)


def _write(session: TenantSession, location: Location) -> Location:
    try:
        session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "uq_location_organization_id_code":
            raise
        detail = "there is a location with this code already"
        raise ConflictError("location_code_taken", detail, errors=[FieldError("/code", detail)]) from error
    outbox.add(session, location_changed(location), aggregate_id=location.id, aggregate_version=location.version)
    return location
