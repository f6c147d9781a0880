"""What the checklist and its billing doctor should know: mail that failed and was not sent again since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from common.db import TenantSession
from common.ids import encode_id
from notifications.models import Notification

_NAMED_PROBLEMS = 100


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Failed mails, the newest first; at most a hundred are named."""
    columns = (Notification.id, Notification.subject, Notification.recipient_name, Notification.last_error)
    failed = select(*columns).where(Notification.state == "failed").order_by(Notification.id.desc())
    rows = session.execute(failed.limit(_NAMED_PROBLEMS)).all()
    problems = [
        {
            "code": "notification_failed",
            "detail": f"{row.subject!r} to {row.recipient_name or 'nobody'} was not sent: {row.last_error}",
            "about": row.subject,
            "href": f"/admin/notifications/{encode_id('ntf', row.id)}",
        }
        for row in rows
    ]
    return {"facts": {"notifications_failed": len(problems)}, "problems": problems}
