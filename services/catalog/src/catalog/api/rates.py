"""``/v1/resource-rates``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import any_, literal, or_, select

from catalog.api.access import EDITORS, STAFF, not_archived, require_everywhere
from catalog.api.rate_schemas import ResourceRateInSchema, ResourceRateQuery, ResourceRateSchema
from catalog.models import ResourceRate
from catalog.services import rates
from catalog.services.resources import find_resource
from common.auth import allow
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id

blueprint = Blueprint("resource-rates", __name__, description="What booking a resource costs")


@blueprint.route("/v1/resource-rates", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(ResourceRateQuery, location="query")
@blueprint.response(200, page_schema(ResourceRateSchema))
def list_rates(query: dict[str, Any]) -> dict[str, Any]:
    """List rates. Members see prices where they book: in availability and quotes."""
    session = current_session()
    statement = select(ResourceRate).where(not_archived(ResourceRate.archived_at, query))
    if "resource_id" in query:
        resource = find_resource(session, query["resource_id"])
        named = literal(resource.id) == any_(ResourceRate.resource_ids)
        statement = statement.where(or_(named, literal(resource.type) == any_(ResourceRate.resource_types)))
    return page(session, statement, query, key=ResourceRate.id, sorts={"name": ResourceRate.name}, default_sort="id")


@blueprint.route("/v1/resource-rates", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(ResourceRateInSchema)
@blueprint.response(201, ResourceRateSchema)
def create_rate(body: dict[str, Any]) -> ResourceRate:
    """Set prices for resources or types of resources."""
    require_everywhere()
    return _answer(rates.create_rate(current_session(), **body))


@blueprint.route("/v1/resource-rates/<rate_id>", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, ResourceRateSchema)
def get_rate(rate_id: str) -> ResourceRate:
    """Show a rate."""
    return _answer(rates.find_rate(current_session(), decode_path_id("rat", rate_id)))


@blueprint.route("/v1/resource-rates/<rate_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(ResourceRateInSchema(partial=True))
@blueprint.response(200, ResourceRateSchema)
def change_rate(body: dict[str, Any], rate_id: str) -> ResourceRate:
    """Change a rate for bookings to come; lists and conditions are replaced whole."""
    rate = _locked(rate_id)
    check_if_match(rate)
    return _answer(rates.change_rate(current_session(), rate, **body))


@blueprint.route("/v1/resource-rates/<rate_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def archive_rate(rate_id: str) -> None:
    """Archive a rate: resources left without one are no longer listed."""
    rate = _locked(rate_id)
    check_if_match(rate)
    rates.archive_rate(current_session(), rate)


@blueprint.route("/v1/resource-rates/<rate_id>/restoration", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.response(200, ResourceRateSchema)
def restore_rate(rate_id: str) -> ResourceRate:
    """Take a rate out of the archive."""
    return _answer(rates.restore_rate(current_session(), _locked(rate_id)))


def _locked(rate_id: str) -> ResourceRate:
    require_everywhere()
    return rates.find_rate(current_session(), decode_path_id("rat", rate_id), lock=True)


def _answer(rate: ResourceRate) -> ResourceRate:
    remember_etag(rate)
    return rate
