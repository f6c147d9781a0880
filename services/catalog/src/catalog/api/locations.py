"""``/v1/locations``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy import select

from catalog.api.access import EDITORS, EVERYBODY, not_archived, require_everywhere, require_reach
from catalog.api.schemas import LocationInSchema, LocationSchema
from catalog.models import Location
from catalog.services import locations
from common.auth import allow, current_principal
from common.errors import NotFoundError
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


class LocationQuery(ListQuery):
    """Filters of the list; ``archived`` is for staff."""

    archived = fields.Boolean(load_default=False)


@blueprint.route("/v1/locations", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(LocationQuery, location="query")
@blueprint.response(200, page_schema(LocationSchema))
def list_locations(query: dict[str, Any]) -> dict[str, Any]:
    """List locations."""
    statement = select(Location).where(not_archived(Location.archived_at, query))
    return page(current_session(), statement, query, key=Location.id, sorts={"name": Location.name}, default_sort="id")


@blueprint.route("/v1/locations", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(LocationInSchema)
@blueprint.response(201, LocationSchema)
def create_location(body: dict[str, Any]) -> Location:
    """Open a location."""
    require_everywhere()
    location = locations.create_location(current_session(), **body)
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, LocationSchema)
def get_location(location_id: str) -> Location:
    """Show a location; members see those in use."""
    location = locations.find_location(current_session(), decode_path_id("loc", location_id))
    if location.archived_at is not None and not current_principal().is_staff:
        raise NotFoundError("location_not_found", "there is no such location")
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(LocationInSchema(partial=True))
@blueprint.response(200, LocationSchema)
def change_location(body: dict[str, Any], location_id: str) -> Location:
    """Change a location's fields; what is not sent stays."""
    location = _locked(location_id)
    check_if_match(location)
    locations.change_location(current_session(), location, **body)
    remember_etag(location)
    return location


@blueprint.route("/v1/locations/<location_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def archive_location(location_id: str) -> None:
    """Archive a location that has no resources in use: it leaves the lists and keeps its history."""
    location = _locked(location_id)
    check_if_match(location)
    locations.archive_location(current_session(), location)


@blueprint.route("/v1/locations/<location_id>/restoration", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.response(200, LocationSchema)
def restore_location(location_id: str) -> Location:
    """Take a location out of the archive."""
    location = locations.restore_location(current_session(), _locked(location_id))
    remember_etag(location)
    return location


def _locked(location_id: str) -> Location:
    location = locations.find_location(current_session(), decode_path_id("loc", location_id), lock=True)
    require_reach(location.id)
    return location
