"""Notifications, their attachments, and addresses that bounced."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from notifications.models.metadata import Base

ONCE = "uq_notification_once"


class Notification(TenantMixin, VersionMixin, Base):
    """One mail about one event to one recipient; ``source`` names the event, so that it is written only once.

    ``due_at`` (the organisation's time) is set while something is to be done; ``lease_until`` (real time) while a
    worker is sending. ``occurrences`` are the bookings of a series (or the failed mails of an hour) that it tells of,
    ``others`` how many more it counts without naming them. ``sendings`` counts wanted sendings (a resend is one more),
    ``attempts`` the tries of this one.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("organization_id", "source", "template", "recipient", name=ONCE),
        CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed')", name="state"),
        Index("ix_notification_due_at", "organization_id", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_notification_member_id", "organization_id", "member_id"),
        Index("ix_notification_company_id", "organization_id", "company_id"),
        Index("ix_notification_invoice_id", "organization_id", "invoice_id"),
        Index("ix_notification_expires_at", "expires_at"),
    )

    source: Mapped[str]
    template: Mapped[str]
    recipient: Mapped[str]
    recipient_name: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str] = mapped_column(deferred=True)
    text: Mapped[str]
    channel: Mapped[str]
    state: Mapped[str]
    member_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    booking_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    occurrences: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default="[]")
    others: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    sendings: Mapped[int] = mapped_column(BigInteger, default=1)
    attempts: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    attachments: Mapped[list[Attachment]] = relationship(order_by="Attachment.id", viewonly=True)


class Attachment(TenantMixin, Base):
    """A file that goes along with a notification."""

    __tablename__ = "attachment"

    notification_id: Mapped[UUID] = mapped_column(ForeignKey("notification.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class SuppressedAddress(TenantMixin, Base):
    """An address that mail came back from for good: nothing is sent there until somebody resends by hand."""

    __tablename__ = "suppressed_address"
    __table_args__ = (UniqueConstraint("organization_id", "address"),)

    address: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
