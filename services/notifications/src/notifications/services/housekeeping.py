"""What is not kept for ever: old notifications with their files, links that opened doors, webhook events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from common.jobs import JobRun
from notifications.models import Notification, WebhookEvent

PORTION = 500


def clean_up(run: JobRun) -> None:
    """Delete what has expired, in portions; attachments, deliveries and logs go with their owners."""
    for kind in (Notification, WebhookEvent):
        while _delete_portion(run, kind) == PORTION:
            pass


def _delete_portion(run: JobRun, kind: Any) -> int:
    with run.database.session(run.organization_id) as session:
        doomed = select(kind.id).where(kind.expires_at <= run.now).limit(PORTION).with_for_update(skip_locked=True)
        gone = session.scalars(delete(kind).where(kind.id.in_(doomed)).returning(kind.id)).all()
        session.commit()
    return len(gone)
