"""Reminders of bookings: when they are due, and what the organisation wants.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import protect_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bookings known from before are reminded of once they are heard of again."""
    op.add_column("booking_copy", sa.Column("starts_at", sa.DateTime(timezone=True)))
    op.add_column("booking_copy", sa.Column("remind_at", sa.DateTime(timezone=True)))
    op.add_column("booking_copy", sa.Column("state", JSONB, nullable=False, server_default="{}"))
    op.create_index(
        "ix_booking_copy_remind_at",
        "booking_copy",
        ["organization_id", "remind_at"],
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_table(
        "notification_settings",
        sa.Column("booking_reminders", sa.Boolean, nullable=False),
        sa.Column("booking_reminder_hours", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "booking_reminder_hours BETWEEN 1 AND 336", name="ck_notification_settings_booking_reminder_hours"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notification_settings"),
        sa.UniqueConstraint("organization_id", name="uq_notification_settings_organization_id"),
    )
    op.create_index("ix_notification_settings_organization_id", "notification_settings", ["organization_id"])
    protect_table(op, "notification_settings")
