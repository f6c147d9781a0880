"""One mail for what belongs together, as the dates of a series: each message adds its occurrence to a notification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from common.db import TenantSession
from notifications.models import Attachment, Notification
from notifications.services.erasing import is_erased
from notifications.services.notifying import Notice, attach, notify, write_notice

# How long a live organisation's mail waits for the other occurrences of its series.
GATHERING = timedelta(seconds=20)


def gather(session: TenantSession, notice: Notice, whole: Callable[[list[dict[str, Any]]], Notice]) -> bool:
    """Write a gathered notification or add ``notice``'s occurrence to it; ``whole`` writes it with all of them.

    An occurrence has an ``id``, and ``at`` for their order.

    False when it has left already and the occurrence needs a mail of its own. Two workers with two occurrences wait
    for each other at the unique constraint, so that none is lost.
    """
    if is_erased(session, notice.recipient.member_id) or notify(session, notice) is not None:
        return True
    row = session.scalars(
        select(Notification)
        .where(
            Notification.source == notice.source,
            Notification.template == notice.template,
            Notification.recipient == notice.recipient.address,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if has_left(row):
        return False
    known = {occurrence["id"] for occurrence in row.occurrences}
    fresh = [occurrence for occurrence in notice.occurrences if occurrence["id"] not in known]
    if fresh:
        _rewrite(session, row, whole(sorted([*row.occurrences, *fresh], key=lambda one: str(one["at"]))))
    return True


def has_left(row: Notification) -> bool:
    """Whether nothing can be added to a notification any more."""
    return row.state == "sending" or (row.state == "sent" and row.channel == "email")


def _rewrite(session: TenantSession, row: Notification, notice: Notice) -> None:
    language, words = write_notice(session, notice)
    row.language, row.subject, row.html, row.text = language, words.subject, words.html, words.text
    row.occurrences = list(notice.occurrences)
    row.touch()
    session.execute(delete(Attachment).where(Attachment.notification_id == row.id))
    attach(session, row.id, notice.files)
