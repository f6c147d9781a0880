"""What the team is told about its own machinery: mail that did not arrive, webhooks that were switched off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from common.db import TenantSession
from common.ids import encode_id
from contracts.notifications import NotificationFailed
from notifications.domain.templates import TEMPLATES
from notifications.mail.links import LINKS
from notifications.models import Notification, WebhookEndpoint
from notifications.services.gathering import gather
from notifications.services.notifying import Notice, notify
from notifications.services.recipients import operator_recipient

# A mail that names more is not read to its end.
_NAMED = 20


def alert_of_failed_notification(session: TenantSession, message: NotificationFailed) -> None:
    """Tell the team of a mail that was given up, all of an hour together; a failed alert causes no other alert."""
    failed = session.get(Notification, message.notification_id)
    if failed is None or failed.template not in TEMPLATES or TEMPLATES[failed.template].internal:
        return
    hour = session.now().replace(minute=0, second=0, microsecond=0)
    mine = [_failure(session, failed, message)]
    together = partial(_failures, session, hour, f"notifications-failed:{hour.isoformat()}")
    if not gather(session, together(mine), together):
        notify(session, _failures(session, hour, f"notification-failed:{failed.id}:{failed.sendings}", mine))


def _failure(session: TenantSession, failed: Notification, message: NotificationFailed) -> dict[str, Any]:
    return {
        "id": f"{failed.id}:{failed.sendings}",
        "at": session.now().isoformat(),
        "to": failed.recipient_name,
        "address": failed.recipient if failed.recipient != failed.recipient_name else "",
        "subject": failed.subject,
        "error": message.error,
    }


def _failures(session: TenantSession, hour: datetime, source: str, occurrences: Sequence[dict[str, Any]]) -> Notice:
    return Notice(
        template="notification-failed",
        source=source,
        recipient=operator_recipient(session),
        data={
            "failures": list(occurrences[:_NAMED]),
            "count": len(occurrences),
            "others": max(len(occurrences) - _NAMED, 0),
            "link": LINKS.admin_page("notifications?state=failed"),
        },
        occurrences=occurrences,
        delay=max(hour + timedelta(hours=1) - session.now(), timedelta()),
    )


def alert_of_disabled_endpoint(session: TenantSession, endpoint: WebhookEndpoint) -> None:
    """Tell the team that an endpoint gets nothing any more; once for each time that it was switched off."""
    data = {"id": encode_id("whk", endpoint.id), "url": endpoint.url, "reason": endpoint.disabled_reason or ""}
    notify(
        session,
        Notice(
            template="webhook-disabled",
            source=f"webhook-endpoint:{endpoint.id}:disabled:{endpoint.version}",
            recipient=operator_recipient(session),
            data={"endpoint": data, "link": LINKS.admin_page(f"webhook-endpoints/{data['id']}")},
        ),
    )
