"""What the team is told about its own machinery: mail that did not arrive, webhooks that were switched off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from common.db import TenantSession
from common.ids import encode_id
from contracts.notifications import NotificationFailed
from notifications.domain.templates import TEMPLATES
from notifications.mail.links import LINKS
from notifications.models import Notification, WebhookEndpoint
from notifications.services.gathering import has_left
from notifications.services.notifying import Notice, notify, write_notice
from notifications.services.recipients import Recipient, operator_recipient

_TEMPLATE = "notification-failed"
# A mail that names more is not read to its end.
_NAMED = 20


def alert_of_failed_notification(session: TenantSession, message: NotificationFailed) -> None:
    """Tell the team of a mail that was given up, all of an hour together; a failed alert causes no other alert.

    A mail server that refuses everybody must not cost more per mail the more there are: those beyond the first 20 are
    only counted, and a mail that waits for the hour's end is written then (`complete_alert`).
    """
    failed = session.get(Notification, message.notification_id)
    if failed is None or failed.template not in TEMPLATES or TEMPLATES[failed.template].internal:
        return
    hour = session.now().replace(minute=0, second=0, microsecond=0)
    together = f"notifications-failed:{hour.isoformat()}"
    mine = _failure(failed, message)
    if _join(session, together, mine) or notify(session, _notice(session, hour, together, mine)) is not None:
        return
    # Another worker was first with this hour's alert, or it has left.
    if not _join(session, together, mine):
        notify(session, _notice(session, hour, f"notification-failed:{failed.id}:{failed.sendings}", mine))


def complete_alert(session: TenantSession, row: Notification) -> None:
    """Write a gathered alert (a locked row) with all that came to it; other notifications stay as they are."""
    if row.template != _TEMPLATE or not row.occurrences:
        return
    recipient = Recipient(row.recipient, row.recipient_name, row.language)
    notice = Notice(_TEMPLATE, row.source, recipient, _data(row.occurrences, row.others))
    _, words = write_notice(session, notice)
    row.subject, row.html, row.text = words.subject, words.html, words.text


def _join(session: TenantSession, source: str, mine: dict[str, Any]) -> bool:
    """Add a failure to the alert of its hour; False when there is none, or it has left."""
    row = session.scalars(
        select(Notification)
        .where(
            Notification.source == source,
            Notification.template == _TEMPLATE,
            Notification.recipient == operator_recipient(session).address,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or has_left(row):
        return False
    if any(known["id"] == mine["id"] for known in row.occurrences):
        return True
    if len(row.occurrences) < _NAMED:
        row.occurrences = [*row.occurrences, mine]
    else:
        row.others += 1
    if row.channel == "in_app":
        complete_alert(session, row)
    row.touch()
    return True


def _failure(failed: Notification, message: NotificationFailed) -> dict[str, Any]:
    return {
        "id": f"{failed.id}:{failed.sendings}",
        "to": failed.recipient_name,
        "address": failed.recipient if failed.recipient != failed.recipient_name else "",
        "subject": failed.subject,
        "error": message.error,
    }


def _notice(session: TenantSession, hour: datetime, source: str, mine: dict[str, Any]) -> Notice:
    return Notice(
        template=_TEMPLATE,
        source=source,
        recipient=operator_recipient(session),
        data=_data([mine], 0),
        occurrences=[mine],
        delay=max(hour + timedelta(hours=1) - session.now(), timedelta()),
    )


def _data(named: Sequence[dict[str, Any]], others: int) -> dict[str, Any]:
    return {
        "failures": list(named),
        "count": len(named) + others,
        "others": others,
        "link": LINKS.admin_page("notifications?state=failed"),
    }


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
