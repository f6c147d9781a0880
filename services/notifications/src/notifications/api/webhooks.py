"""``/v1/webhook-endpoints``."""

from __future__ import annotations

from typing import Any

from flask import current_app
from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import Role, allow, current_principal
from common.errors import ForbiddenError
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
from notifications.api.schemas import EmptySchema
from notifications.api.webhook_schemas import (
    STATES,
    NewWebhookEndpointSchema,
    WebhookDeliverySchema,
    WebhookEndpointInSchema,
    WebhookEndpointPatchSchema,
    WebhookEndpointSchema,
    WebhookSecretSchema,
    WholeWebhookDeliverySchema,
)
from notifications.config import NotificationsSettings
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services import webhook_endpoints

blueprint = Blueprint("webhook-endpoints", __name__, description="Outgoing webhooks")
CHIEFS = (Role.OWNER, Role.ADMIN)
_ENDPOINT = "/v1/webhook-endpoints/<endpoint_id>"
_DELIVERY = f"{_ENDPOINT}/deliveries/<delivery_id>"


class DeliveryQuery(ListQuery):
    """Filters of the list."""

    state = fields.String(validate=validate.OneOf(STATES))


def _settings() -> NotificationsSettings:
    settings: NotificationsSettings = current_app.extensions["settings"]
    return settings


def _require_everywhere() -> None:
    """Endpoints hear of all locations. Raises ForbiddenError for staff of some of them."""
    if current_principal().location_ids is not None:
        raise ForbiddenError("location_not_in_scope", "webhooks tell of all locations, and you work at some of them")


def _endpoint(endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    _require_everywhere()
    return webhook_endpoints.find_endpoint(current_session(), decode_path_id("whk", endpoint_id), lock=lock)


@blueprint.route("/v1/webhook-endpoints", methods=["GET"])
@allow(*CHIEFS)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_schema(WebhookEndpointSchema))
def list_endpoints(query: dict[str, Any]) -> dict[str, Any]:
    """List endpoints."""
    _require_everywhere()
    return page(current_session(), select(WebhookEndpoint), query, key=WebhookEndpoint.id)


@blueprint.route("/v1/webhook-endpoints", methods=["POST"])
@allow(*CHIEFS)
@idempotent()
@blueprint.arguments(WebhookEndpointInSchema)
@blueprint.response(201, NewWebhookEndpointSchema)
def create_endpoint(body: dict[str, Any]) -> dict[str, Any]:
    """Add an endpoint; its secret is shown this once."""
    _require_everywhere()
    endpoint, secret = webhook_endpoints.create_endpoint(current_session(), _settings(), **body)
    remember_etag(endpoint)
    return {**_fields(endpoint), "secret": secret}


@blueprint.route(_ENDPOINT, methods=["GET"])
@allow(*CHIEFS)
@blueprint.response(200, WebhookEndpointSchema)
def get_endpoint(endpoint_id: str) -> WebhookEndpoint:
    """Show an endpoint."""
    endpoint = _endpoint(endpoint_id)
    remember_etag(endpoint)
    return endpoint


@blueprint.route(_ENDPOINT, methods=["PATCH"])
@allow(*CHIEFS)
@blueprint.arguments(WebhookEndpointPatchSchema(partial=True))
@blueprint.response(200, WebhookEndpointSchema)
def change_endpoint(body: dict[str, Any], endpoint_id: str) -> WebhookEndpoint:
    """Change an endpoint; what is not sent stays."""
    endpoint = _endpoint(endpoint_id, lock=True)
    check_if_match(endpoint)
    webhook_endpoints.change_endpoint(current_session(), endpoint, _settings(), **body)
    remember_etag(endpoint)
    return endpoint


@blueprint.route(_ENDPOINT, methods=["DELETE"])
@allow(*CHIEFS)
@blueprint.response(204)
def delete_endpoint(endpoint_id: str) -> None:
    """Remove an endpoint with its deliveries."""
    endpoint = _endpoint(endpoint_id, lock=True)
    check_if_match(endpoint)
    webhook_endpoints.delete_endpoint(current_session(), endpoint)


@blueprint.route(f"{_ENDPOINT}/secret", methods=["POST"])
@allow(*CHIEFS)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(201, WebhookSecretSchema)
def renew_secret(_body: dict[str, Any], endpoint_id: str) -> dict[str, str]:
    """Replace an endpoint's secret; the new one is shown this once."""
    endpoint = _endpoint(endpoint_id, lock=True)
    return {"secret": webhook_endpoints.renew_secret(current_session(), endpoint, _settings())}


@blueprint.route(f"{_ENDPOINT}/test", methods=["POST"])
@allow(*CHIEFS)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(201, WholeWebhookDeliverySchema)
def send_test(_body: dict[str, Any], endpoint_id: str) -> WebhookDelivery:
    """Send an event of the type ``test``."""
    return webhook_endpoints.send_test_event(current_session(), _endpoint(endpoint_id))


@blueprint.route(f"{_ENDPOINT}/deliveries", methods=["GET"])
@allow(*CHIEFS)
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.response(200, page_schema(WebhookDeliverySchema))
def list_deliveries(query: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """List what was sent to an endpoint, newest first."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == _endpoint(endpoint_id).id)
    if "state" in query:
        statement = statement.where(WebhookDelivery.state == query["state"])
    return page(current_session(), statement, query, key=WebhookDelivery.id)


@blueprint.route(_DELIVERY, methods=["GET"])
@allow(*CHIEFS)
@blueprint.response(200, WholeWebhookDeliverySchema)
def get_delivery(endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """Show a delivery with its data and its log."""
    return _delivery(_endpoint(endpoint_id), delivery_id)


@blueprint.route(f"{_DELIVERY}/replay", methods=["POST"])
@allow(*CHIEFS)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(200, WholeWebhookDeliverySchema)
def replay_delivery(_body: dict[str, Any], endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """Deliver an event again."""
    endpoint = _endpoint(endpoint_id)
    return webhook_endpoints.replay(current_session(), endpoint, _delivery(endpoint, delivery_id, lock=True))


def _delivery(endpoint: WebhookEndpoint, delivery_id: str, *, lock: bool = False) -> WebhookDelivery:
    wanted = decode_path_id("whd", delivery_id)
    return webhook_endpoints.find_delivery(current_session(), endpoint.id, wanted, lock=lock)


def _fields(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in WebhookEndpointSchema().fields}
