"""Endpoints of outgoing webhooks: made, changed, given a new secret, tried out; their deliveries replayed."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from sqlalchemy import select

from common import audit
from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.ids import encode_id, new_id
from common.jobs import wake_scheduler
from notifications.config import NotificationsSettings
from notifications.domain.addresses import is_public
from notifications.domain.webhook_types import TEST_EVENT
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services.sealing import seal
from notifications.services.webhook_events import store_event


def create_endpoint(
    session: TenantSession, settings: NotificationsSettings, **values: Any
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; returns it with its secret, which is shown this once. Raises InvalidError for an unfit URL."""
    check_url(values["url"], allow_private=settings.webhook_allow_private)
    secret = _fresh_secret()
    endpoint = WebhookEndpoint(**values, sealed_secret=seal(settings.secrets, secret), created_at=session.now())
    session.add(endpoint)
    session.flush()
    audit.record(session, "webhook_endpoint.created", encode_id("whk", endpoint.id), {"url": endpoint.url})
    return endpoint, secret


def find_endpoint(session: TenantSession, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """An endpoint by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    found = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFoundError("webhook_endpoint_not_found", "there is no such webhook endpoint")
    return found


def change_endpoint(
    session: TenantSession, endpoint: WebhookEndpoint, settings: NotificationsSettings, **values: Any
) -> None:
    """Change a locked endpoint; enabling it forgets why it was disabled. Raises InvalidError for an unfit URL."""
    if "url" in values:
        check_url(values["url"], allow_private=settings.webhook_allow_private)
    for name, value in values.items():
        setattr(endpoint, name, value)
    if values.get("enabled"):
        endpoint.gone, endpoint.disabled_reason, endpoint.failing_since = 0, None, None
    endpoint.touch()
    session.flush()
    audit.record(session, "webhook_endpoint.changed", encode_id("whk", endpoint.id), values)


def renew_secret(session: TenantSession, endpoint: WebhookEndpoint, settings: NotificationsSettings) -> str:
    """Give a locked endpoint a new secret and return it; the old one signs nothing any more."""
    secret = _fresh_secret()
    endpoint.sealed_secret = seal(settings.secrets, secret)
    endpoint.touch()
    session.flush()
    audit.record(session, "webhook_endpoint.secret_renewed", encode_id("whk", endpoint.id))
    return secret


def delete_endpoint(session: TenantSession, endpoint: WebhookEndpoint) -> None:
    """Remove a locked endpoint with its deliveries."""
    audit.record(session, "webhook_endpoint.deleted", encode_id("whk", endpoint.id), {"url": endpoint.url})
    session.delete(endpoint)
    session.flush()


def send_test_event(session: TenantSession, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Queue a test event for one endpoint. Raises ConflictError when it is disabled."""
    _must_be_enabled(endpoint)
    data = {"id": encode_id("whk", endpoint.id), "message": "This is a test."}
    (delivery_id,) = store_event(session, new_id(), TEST_EVENT, data, [endpoint.id])
    return find_delivery(session, endpoint.id, delivery_id)


def find_delivery(
    session: TenantSession, endpoint_id: UUID, delivery_id: UUID, *, lock: bool = False
) -> WebhookDelivery:
    """A delivery of an endpoint. Raises NotFoundError."""
    statement = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint_id
    )
    found = session.scalars(statement.with_for_update(of=WebhookDelivery) if lock else statement).one_or_none()
    if found is None:
        raise NotFoundError("webhook_delivery_not_found", "there is no such delivery")
    return found


def replay(session: TenantSession, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> WebhookDelivery:
    """Queue a locked, finished delivery again with the same event. Raises ConflictError while it is under way."""
    _must_be_enabled(endpoint)
    if delivery.state == "pending":
        raise ConflictError("already_under_way", "this event is being delivered already")
    delivery.state, delivery.due_at, delivery.attempts = "pending", session.now(), 0
    delivery.delivered_at = None
    session.flush()
    wake_scheduler(session)
    return delivery


def _must_be_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise ConflictError("webhook_endpoint_disabled", "enable the endpoint first")


def _fresh_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def check_url(url: str, *, allow_private: bool) -> None:
    """Refuse what can be seen to be unfit without asking the network; names are checked when they are resolved.

    Raises InvalidError.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.fragment:
        raise _unfit("must carry neither a password nor a fragment")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise _unfit("must begin with https://")
    if not host:
        raise _unfit("names no host")
    if not allow_private and _is_private_name(host):
        raise _unfit("must lead to a public address")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _unfit("is no address") from error
    return parts


def _is_private_name(host: str) -> bool:
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host


def _unfit(detail: str) -> InvalidError:
    return InvalidError("url_not_allowed", f"the URL {detail}", errors=[FieldError("/url", detail)])
