"""Outgoing webhooks: endpoints, the events stored for them, deliveries and their attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from common.db import TenantMixin, VersionMixin
from notifications.models.metadata import Base


class WebhookEndpoint(TenantMixin, VersionMixin, Base):
    """Where an organisation wants to be told; ``sealed_secret`` is encrypted, ``gone`` counts 410 answers in a row.

    ``failing_since``: when the first of the failures came that no success has followed yet.
    """

    __tablename__ = "webhook_endpoint"

    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[Any]] = mapped_column(JSONB)
    enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None]
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    gone: Mapped[int] = mapped_column(BigInteger, default=0)
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebhookEvent(TenantMixin, Base):
    """A public message in API style; its id is the message's, so that it is stored once."""

    __tablename__ = "webhook_event"

    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class WebhookDelivery(TenantMixin, Base):
    """One event on its way to one endpoint. ``due_at`` and ``lease_until`` as in `Notification`."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index("ix_webhook_delivery_due_at", "organization_id", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_event.id", ondelete="CASCADE"), index=True)
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    event: Mapped[WebhookEvent] = relationship(lazy="joined", innerjoin=True, viewonly=True)
    log: Mapped[list[WebhookAttempt]] = relationship(order_by="WebhookAttempt.id", viewonly=True)


class WebhookAttempt(TenantMixin, Base):
    """The log: what was tried when, and what came back."""

    __tablename__ = "webhook_attempt"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    status_code: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str | None]
    milliseconds: Mapped[int]
