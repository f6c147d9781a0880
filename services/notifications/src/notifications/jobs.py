"""What the scheduler runs for this service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import select

from common.config import ConfigurationError
from common.jobs import Job
from notifications.config import NotificationsSettings
from notifications.mail.transports import mail_transport
from notifications.models import Notification
from notifications.services.delivery import deliver_due


def build_jobs(settings: NotificationsSettings) -> Sequence[Job]:
    """The jobs with their ways out. Raises ConfigurationError when SMTP_URL is none."""
    try:
        transport = mail_transport(settings)
    except ValueError as error:
        raise ConfigurationError(f"cannot start: {error}") from error
    return (
        Job(
            name="deliver-mail",
            due=select(Notification.organization_id, Notification.due_at).where(Notification.due_at.is_not(None)),
            run=partial(deliver_due, transport=transport, sender=settings.mail_from),
        ),
    )
