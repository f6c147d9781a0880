"""``/v1/resources``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from catalog.api.access import EDITORS, EVERYBODY, in_reach, not_archived, require_reach
from catalog.api.resource_schemas import ResourceInSchema, ResourceQuery, ResourceSchema
from catalog.models import Resource
from catalog.services import resources
from catalog.services.listing import ResourceView, describe, is_listed
from common.auth import allow, current_principal
from common.errors import NotFoundError
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id

blueprint = Blueprint("resources", __name__, description="Rooms, desks and all else that is booked")


@blueprint.route("/v1/resources", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(ResourceQuery, location="query")
@blueprint.response(200, page_schema(ResourceSchema))
def list_resources(query: dict[str, Any]) -> dict[str, Any]:
    """List resources; members get those that are on sale."""
    session = current_session()
    statement = _filtered(query).where(not_archived(Resource.archived_at, query))
    answer = page(session, statement, query, key=Resource.id, sorts={"name": Resource.name}, default_sort="id")
    return {**answer, "items": describe(session, answer["items"])}


@blueprint.route("/v1/resources", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(ResourceInSchema)
@blueprint.response(201, ResourceSchema)
def create_resource(body: dict[str, Any]) -> ResourceView:
    """Add a resource. It may come before its rate: until it has one, or is free, customers do not find it."""
    require_reach(body["location_id"])
    return _answer(resources.create_resource(current_session(), **body))


@blueprint.route("/v1/resources/<resource_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, ResourceSchema)
def get_resource(resource_id: str) -> ResourceView:
    """Show a resource; members see those that are on sale."""
    resource = resources.find_resource(current_session(), decode_path_id("res", resource_id))
    require_reach(resource.location_id)
    view = _answer(resource)
    if not view.listed and not current_principal().is_staff:
        raise NotFoundError("resource_not_found", "there is no such resource")
    return view


@blueprint.route("/v1/resources/<resource_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(ResourceInSchema(partial=True))
@blueprint.response(200, ResourceSchema)
def change_resource(body: dict[str, Any], resource_id: str) -> ResourceView:
    """Change a resource's fields; what is not sent stays, policies are replaced whole."""
    resource = locked_resource(resource_id)
    check_if_match(resource)
    if "location_id" in body:
        require_reach(body["location_id"])
    return _answer(resources.change_resource(current_session(), resource, **body))


@blueprint.route("/v1/resources/<resource_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def archive_resource(resource_id: str) -> None:
    """Archive a resource: it leaves the lists and keeps its history."""
    resource = locked_resource(resource_id)
    check_if_match(resource)
    resources.archive_resource(current_session(), resource)


@blueprint.route("/v1/resources/<resource_id>/restoration", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.response(200, ResourceSchema)
def restore_resource(resource_id: str) -> ResourceView:
    """Take a resource out of the archive."""
    return _answer(resources.restore_resource(current_session(), locked_resource(resource_id)))


def locked_resource(resource_id: str) -> Resource:
    """The resource of a path, locked for changing. Raises NotFoundError, also for other locations' staff."""
    resource = resources.find_resource(current_session(), decode_path_id("res", resource_id), lock=True)
    require_reach(resource.location_id)
    return resource


def _answer(resource: Resource) -> ResourceView:
    remember_etag(resource)
    return describe(current_session(), [resource])[0]


def _filtered(query: dict[str, Any]) -> Select[Any]:
    statement = select(Resource).where(in_reach(Resource.location_id))
    for name in ("location_id", "type", "visibility"):
        if name in query:
            statement = statement.where(getattr(Resource, name) == query[name])
    listed = is_listed(current_session())
    if not current_principal().is_staff:
        statement = statement.where(listed)
    if "listed" in query:
        statement = statement.where(listed if query["listed"] else ~listed)
    return statement
