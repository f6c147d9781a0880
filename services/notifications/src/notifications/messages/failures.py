"""What this service says itself: a notification was given up."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.notifications import NotificationFailed
from notifications.services.alerts import alert_of_failed_notification


def register(registry: Handlers) -> None:
    """Listen to ourselves: the alert is written in a transaction of its own."""
    registry.on(NotificationFailed)(_failed)


def _failed(session: TenantSession, message: NotificationFailed, _envelope: Envelope) -> None:
    alert_of_failed_notification(session, message)
