"""Saying that a notification was given up."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import outbox
from notifications.messages.publishes import notification_failed
from notifications.models import Notification


def announce_failure(session: TenantSession, notification: Notification) -> None:
    """Tell the other services (the billing doctor lists failed sends); the row is new or locked."""
    outbox.add(
        session,
        notification_failed(notification),
        aggregate_id=notification.id,
        aggregate_version=notification.version,
    )
