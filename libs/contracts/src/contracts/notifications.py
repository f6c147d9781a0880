"""What `notifications` tells the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from common.messaging.message import Message


class NotificationFailed(Message, frozen=True, kw_only=True):
    """A notification could not be delivered and will not be tried again by itself."""

    service: ClassVar[str] = "notifications"
    name: ClassVar[str] = "notification-failed"
    notification_id: UUID
    template: str
    member_id: UUID | None = None
    company_id: UUID | None = None
    invoice_id: UUID | None = None
    error: str
    version: int
