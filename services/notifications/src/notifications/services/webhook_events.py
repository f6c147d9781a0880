"""Storing an event for the endpoints that want it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.ids import new_id
from common.jobs import wake_scheduler
from notifications.domain.backoff import expiry
from notifications.domain.webhook_types import is_wanted
from notifications.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

KEPT_DAYS = 30


def offer_event(session: TenantSession, event_id: UUID, event_type: str, data: Callable[[], dict[str, Any]]) -> None:
    """Keep an event and one delivery for each enabled endpoint that subscribed to its type; nothing without any."""
    endpoints = session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.enabled)).all()
    wanting = [endpoint.id for endpoint in endpoints if is_wanted(event_type, endpoint.event_types)]
    if wanting:
        store_event(session, event_id, event_type, data(), wanting)


def store_event(
    session: TenantSession, event_id: UUID, event_type: str, data: dict[str, Any], endpoint_ids: Sequence[UUID]
) -> list[UUID]:
    """Store an event once, with its deliveries; returns the ids of the deliveries that are new."""
    now, organization_id = session.now(), session.organization_id
    event = {"id": event_id, "organization_id": organization_id, "type": event_type, "data": data}
    session.execute(
        insert(WebhookEvent).values(**event, created_at=now, expires_at=expiry(now, KEPT_DAYS)).on_conflict_do_nothing()
    )
    rows = [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "endpoint_id": endpoint_id,
            "event_id": event_id,
            "state": "pending",
            "attempts": 0,
            "due_at": now,
            "created_at": now,
        }
        for endpoint_id in endpoint_ids
    ]
    statement = insert(WebhookDelivery).values(rows).on_conflict_do_nothing().returning(WebhookDelivery.id)
    made = list(session.scalars(statement))
    wake_scheduler(session)
    return made
