"""``/v1/locations``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy import select

from catalog.api.schemas import LocationInSchema, LocationSchema
from catalog.models import Location
from catalog.services import locations
from common.auth import Role, allow
from common.http import (
    Blueprint,
    ListQuery,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.ids import decode_path_id

blueprint = Blueprint("locations", __name__, description="Places that members come to")
EVERYBODY = tuple(Role)


class LocationQuery(ListQuery):
    """Filters of the list."""

    archived = fields.Boolean(load_default=False)


@blueprint.route("/v1/locations", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(LocationQuery, location="query")
@blueprint.response(200, page_schema(LocationSchema))
def list_locations(query: dict[str, Any]) -> dict[str, Any]:
    """List locations."""
    condition = Location.archived_at.is_not(None) if query["archived"] else Location.archived_at.is_(None)
    statement = select(Location).where(condition)
    return page(current_session(), statement, query, key=Location.id, sorts={"name": Location.name}, default_sort="id")


@blueprint.route("/v1/locations", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent()
@blueprint.arguments(LocationInSchema)
@blueprint.response(201, LocationSchema)
def create_location(body: dict[str, Any]) -> Location:
    """Open a location."""
    location = locations.create_location(current_session(), **body)
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, LocationSchema)
def get_location(location_id: str) -> Location:
    """Show a location."""
    location = locations.find_location(current_session(), decode_path_id("loc", location_id))
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["PATCH"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(LocationInSchema(partial=True))
@blueprint.response(200, LocationSchema)
def change_location(body: dict[str, Any], location_id: str) -> Location:
    """Change a location's fields; what is not sent stays."""
    session = current_session()
    location = locations.find_location(session, decode_path_id("loc", location_id), lock=True)
    check_if_match(location)
    locations.change_location(session, location, **body)
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["DELETE"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(204)
def archive_location(location_id: str) -> None:
    """Archive a location: it leaves the lists and keeps its history."""
    session = current_session()
    location = locations.find_location(session, decode_path_id("loc", location_id), lock=True)
    check_if_match(location)
    locations.change_location(session, location, archived_at=session.now())
