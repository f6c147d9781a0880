"""What the scheduler runs for this service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from common.config import ConfigurationError
from common.db import TenantMixin
from common.jobs import Job
from notifications.config import NotificationsSettings
from notifications.mail.transports import mail_transport
from notifications.models import BookingCopy, Notification, WebhookDelivery, WebhookEvent
from notifications.outgoing.posting import Poster
from notifications.services.delivery import Sender, deliver_due
from notifications.services.housekeeping import clean_up
from notifications.services.reminders import remind_of_bookings
from notifications.services.webhook_delivery import deliver_webhooks_due


def build_jobs(settings: NotificationsSettings) -> Sequence[Job]:
    """The jobs with their ways out. Raises ConfigurationError when SMTP_URL is none."""
    try:
        transport = mail_transport(settings)
    except ValueError as error:
        raise ConfigurationError(f"cannot start: {error}") from error
    poster = Poster(timeout_seconds=settings.webhook_timeout_seconds, allow_private=settings.webhook_allow_private)
    return (
        Job(
            name="remind-of-bookings",
            due=_pending(BookingCopy, BookingCopy.remind_at),
            run=remind_of_bookings,
        ),
        Job(
            name="deliver-mail",
            due=_pending(Notification, Notification.due_at),
            run=partial(deliver_due, transport=transport, sender=_sender(settings)),
        ),
        Job(
            name="deliver-webhooks",
            due=_pending(WebhookDelivery, WebhookDelivery.due_at),
            run=partial(deliver_webhooks_due, poster=poster, secrets=settings.secrets),
        ),
        Job(
            name="forget-notifications",
            due=_pending(Notification, Notification.expires_at),
            run=clean_up,
        ),
        Job(
            name="forget-webhook-events",
            due=_pending(WebhookEvent, WebhookEvent.expires_at),
            run=clean_up,
        ),
    )


def _sender(settings: NotificationsSettings) -> Sender:
    return Sender(settings.mail_from, settings.mail_return_path or settings.mail_from)


def _pending(kind: type[TenantMixin], due_at: InstrumentedAttribute[Any]) -> Select[Any]:
    return select(kind.organization_id, due_at).where(due_at.is_not(None))
