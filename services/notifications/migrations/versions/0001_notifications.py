"""Plumbing, notifications, their wording, and webhooks.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None

TABLES = (
    "booking_copy",
    "company_copy",
    "location_copy",
    "member_copy",
    "membership_copy",
    "notification",
    "own_text",
    "suppressed_address",
    "webhook_endpoint",
    "webhook_event",
    "attachment",
    "webhook_delivery",
    "webhook_attempt",
)


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    _create_copies()
    _create_notifications()
    _create_webhooks()
    for table in TABLES:
        protect_table(op, table)


def _create_copies() -> None:
    op.create_table(
        "booking_copy",
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_booking_copy"),
    )
    op.create_index("ix_booking_copy_organization_id", "booking_copy", ["organization_id"])
    op.create_table(
        "company_copy",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("billing_email", sa.Text),
        sa.Column("billing_language", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_company_copy"),
    )
    op.create_index("ix_company_copy_organization_id", "company_copy", ["organization_id"])
    op.create_table(
        "location_copy",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("address", JSONB, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_location_copy"),
    )
    op.create_index("ix_location_copy_organization_id", "location_copy", ["organization_id"])
    op.create_table(
        "member_copy",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("company_id", sa.Uuid),
        sa.Column("language", sa.Text),
        sa.Column("billing_email", sa.Text),
        sa.Column("billing_language", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_member_copy"),
    )
    op.create_index("ix_member_copy_organization_id", "member_copy", ["organization_id"])
    op.create_table(
        "membership_copy",
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("end_date", sa.Date),
        sa.Column("first_end_date", sa.Date),
        sa.Column("first_version", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_membership_copy"),
    )
    op.create_index("ix_membership_copy_organization_id", "membership_copy", ["organization_id"])


def _create_notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("recipient_name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("invoice_id", sa.Uuid),
        sa.Column("booking_id", sa.Uuid),
        sa.Column("payment_id", sa.Uuid),
        sa.Column("sendings", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed')", name="ck_notification_state"),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint("organization_id", "source", "template", "recipient", name="uq_notification_once"),
    )
    op.create_index("ix_notification_company_id", "notification", ["organization_id", "company_id"])
    op.create_index(
        "ix_notification_due_at",
        "notification",
        ["organization_id", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_notification_expires_at", "notification", ["expires_at"])
    op.create_index("ix_notification_invoice_id", "notification", ["organization_id", "invoice_id"])
    op.create_index("ix_notification_member_id", "notification", ["organization_id", "member_id"])
    op.create_index("ix_notification_organization_id", "notification", ["organization_id"])
    op.create_table(
        "own_text",
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_own_text"),
        sa.UniqueConstraint(
            "organization_id", "template", "language", name="uq_own_text_organization_id_template_language"
        ),
    )
    op.create_index("ix_own_text_organization_id", "own_text", ["organization_id"])
    op.create_table(
        "suppressed_address",
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppressed_address"),
        sa.UniqueConstraint("organization_id", "address", name="uq_suppressed_address_organization_id_address"),
    )
    op.create_index("ix_suppressed_address_organization_id", "suppressed_address", ["organization_id"])
    op.create_table(
        "attachment",
        sa.Column("notification_id", sa.Uuid, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notification.id"], name="fk_attachment_notification_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_notification_id", "attachment", ["notification_id"])
    op.create_index("ix_attachment_organization_id", "attachment", ["organization_id"])


def _create_webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("event_types", JSONB, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("gone", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
    )
    op.create_index("ix_webhook_endpoint_organization_id", "webhook_endpoint", ["organization_id"])
    op.create_table(
        "webhook_event",
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_event"),
    )
    op.create_index("ix_webhook_event_expires_at", "webhook_event", ["expires_at"])
    op.create_index("ix_webhook_event_organization_id", "webhook_event", ["organization_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("endpoint_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="ck_webhook_delivery_state"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name="fk_webhook_delivery_endpoint_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["webhook_event.id"], name="fk_webhook_delivery_event_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_delivery"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_delivery_endpoint_id_event_id"),
    )
    op.create_index(
        "ix_webhook_delivery_due_at",
        "webhook_delivery",
        ["organization_id", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_webhook_delivery_event_id", "webhook_delivery", ["event_id"])
    op.create_index("ix_webhook_delivery_organization_id", "webhook_delivery", ["organization_id"])
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_code", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("milliseconds", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_delivery.id"], name="fk_webhook_attempt_delivery_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempt"),
    )
    op.create_index("ix_webhook_attempt_delivery_id", "webhook_attempt", ["delivery_id"])
    op.create_index("ix_webhook_attempt_organization_id", "webhook_attempt", ["organization_id"])
