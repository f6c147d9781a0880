"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from contracts.notifications import NotificationFailed
from notifications.models import Notification


def notification_failed(notification: Notification) -> NotificationFailed:
    """A notification that was given up."""
    return NotificationFailed(
        notification_id=notification.id,
        template=notification.template,
        member_id=notification.member_id,
        company_id=notification.company_id,
        invoice_id=notification.invoice_id,
        error=notification.last_error or "",
        version=notification.version,
    )
