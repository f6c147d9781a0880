"""What an organisation wants its people to be told."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from notifications.domain.reminders import DEFAULT_HOURS, MOST_HOURS
from notifications.models.metadata import Base


class NotificationSettings(TenantMixin, VersionMixin, Base):
    """The one row of an organisation's settings; made with its defaults when first needed."""

    __tablename__ = "notification_settings"
    __table_args__ = (
        UniqueConstraint("organization_id", name="uq_notification_settings_organization_id"),
        CheckConstraint(f"booking_reminder_hours BETWEEN 1 AND {MOST_HOURS}", name="booking_reminder_hours"),
    )

    booking_reminders: Mapped[bool] = mapped_column(default=True)
    booking_reminder_hours: Mapped[int] = mapped_column(default=DEFAULT_HOURS)

    @property
    def reminder_hours(self) -> int | None:
        """How long before a booking its people are reminded; None when they are not."""
        return self.booking_reminder_hours if self.booking_reminders else None
