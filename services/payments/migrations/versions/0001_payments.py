"""Plumbing, and everything about how it is paid.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    _create_billing_settings()
    _create_collection()
    _create_customer()
    _create_customer_reference()
    _create_invoice()
    _create_location()
    _create_payment()
    _create_payment_gateway()
    _create_payment_method()
    _create_refund()
    _create_webhook_event()


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])
    protect_table(op, table)


def _create_billing_settings() -> None:
    _create(
        "billing_settings",
        sa.Column("automatic_collection", sa.Boolean, nullable=False),
        sa.Column("pay_now", sa.Boolean, nullable=False),
        sa.Column("retry_days", JSONB, nullable=False),
        sa.Column("charge_hour", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _create_collection() -> None:
    _create(
        "collection",
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("next_attempt_at", _INSTANT),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("stopped", sa.Text),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("last_failure_code", sa.Text),
    )
    op.create_index(
        "ix_collection_next_attempt_at",
        "collection",
        ["next_attempt_at"],
        postgresql_where="next_attempt_at IS NOT NULL",
    )


def _create_customer() -> None:
    _create(
        "customer",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("company_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("auto_collect", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _create_customer_reference() -> None:
    _create(
        "customer_reference",
        sa.Column("gateway_id", sa.Uuid, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("gateway_id", "owner_id", name="uq_customer_reference_gateway_id_owner_id"),
    )


def _create_invoice() -> None:
    _create(
        "invoice",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("customer", JSONB, nullable=False),
        sa.Column("payer_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("issue_date", sa.Date, nullable=False),
        sa.Column("due_date", sa.Date, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("credited_minor", sa.BigInteger, nullable=False),
        sa.Column("kept_minor", sa.BigInteger, nullable=False),
        sa.Column("noted_minor", sa.BigInteger, nullable=False),
        sa.Column("collect", sa.Boolean, nullable=False),
        sa.Column("collect_now", sa.Boolean, nullable=False),
        sa.Column("booking_ids", JSONB, nullable=False),
        sa.Column("checkout_id", sa.Uuid),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_invoice_payer_id", "invoice", ["organization_id", "payer_id"])


def _create_location() -> None:
    _create(
        "location",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _create_payment() -> None:
    _create(
        "payment",
        sa.Column("invoice_id", sa.Uuid),
        sa.Column("invoice_number", sa.Text),
        sa.Column("customer", JSONB, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("charge", sa.Text, nullable=False),
        sa.Column("refunds", JSONB, nullable=False),
        sa.Column("disputes", JSONB, nullable=False),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("gateway_id", sa.Uuid),
        sa.Column("payment_method_id", sa.Uuid),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("brand", sa.Text),
        sa.Column("last4", sa.Text),
        sa.Column("reference", sa.Text),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("request", JSONB),
        sa.Column("request_key", sa.Text),
        sa.Column("request_fingerprint", sa.Text),
        sa.Column("provider_reference", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_kind", sa.Text),
        sa.Column("action_url", sa.Text),
        sa.Column("client_secret", sa.Text),
        sa.Column("attempts", JSONB, nullable=False),
        sa.Column("kept_minor", sa.BigInteger, nullable=False),
        sa.Column("charged_at", _INSTANT, nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        sa.Column("failed_at", _INSTANT),
        sa.Column("check_at", _INSTANT),
        sa.Column("rest_until", _INSTANT),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("booking_ids", JSONB, nullable=False),
        sa.Column("checkout_id", sa.Uuid),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_payment_amount"),
        sa.UniqueConstraint("organization_id", "key", name="uq_payment_key"),
        sa.UniqueConstraint("organization_id", "request_key", name="uq_payment_request_key"),
    )
    op.create_index("ix_payment_check_at", "payment", ["check_at"], postgresql_where="check_at IS NOT NULL")
    op.create_index("ix_payment_gateway_id_provider_reference", "payment", ["gateway_id", "provider_reference"])
    op.create_index("ix_payment_invoice_id", "payment", ["invoice_id"])
    op.create_index(
        "uq_payment_running",
        "payment",
        ["organization_id", "invoice_id"],
        unique=True,
        postgresql_where="running AND invoice_id IS NOT NULL",
    )


def _create_payment_gateway() -> None:
    _create(
        "payment_gateway",
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("credentials", sa.LargeBinary),
        sa.Column("has_webhook_secret", sa.Boolean, nullable=False),
        sa.Column("methods", JSONB, nullable=False),
        sa.Column("is_live", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("disconnected_at", _INSTANT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("state IN ('connected', 'disconnected')", name="ck_payment_gateway_state"),
        sa.UniqueConstraint("organization_id", "request_key", name="uq_payment_gateway_request_key"),
    )


def _create_payment_method() -> None:
    _create(
        "payment_method",
        sa.Column("gateway_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("customer_reference", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("setup_reference", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("brand", sa.Text),
        sa.Column("last4", sa.Text),
        sa.Column("exp_month", sa.BigInteger),
        sa.Column("exp_year", sa.BigInteger),
        sa.Column("expires_on", sa.Date),
        sa.Column("announced", JSONB, nullable=False),
        sa.Column("announce_at", _INSTANT),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("wants_default", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("request_key", sa.Text),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("num_nonnulls(member_id, company_id) = 1", name="ck_payment_method_one_owner"),
    )
    op.create_index(
        "ix_payment_method_announce_at", "payment_method", ["announce_at"], postgresql_where="announce_at IS NOT NULL"
    )
    op.create_index("ix_payment_method_gateway_id_reference", "payment_method", ["gateway_id", "reference"])
    op.create_index("ix_payment_method_owner_id", "payment_method", ["owner_id"])
    op.create_index(
        "uq_payment_method_default",
        "payment_method",
        ["organization_id", "owner_id"],
        unique=True,
        postgresql_where="is_default",
    )
    op.create_index("uq_payment_method_request_key", "payment_method", ["organization_id", "request_key"], unique=True)


def _create_refund() -> None:
    _create(
        "refund",
        sa.Column("payment_id", sa.Uuid, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("request_key", sa.Text),
        sa.Column("request_fingerprint", sa.Text),
        sa.Column("provider_reference", sa.Text),
        sa.Column("credit_note_id", sa.Uuid),
        sa.Column("reason", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("announced", sa.Boolean, nullable=False),
        sa.Column("check_at", _INSTANT),
        sa.Column("rest_until", _INSTANT),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_refund_amount"),
        sa.UniqueConstraint("payment_id", "provider_reference", name="uq_refund_payment_id_provider_reference"),
        sa.UniqueConstraint("organization_id", "request_key", name="uq_refund_request_key"),
    )
    op.create_index("ix_refund_check_at", "refund", ["check_at"], postgresql_where="check_at IS NOT NULL")
    op.create_index(
        "ix_refund_credit_note_id", "refund", ["credit_note_id"], postgresql_where="credit_note_id IS NOT NULL"
    )
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"])


def _create_webhook_event() -> None:
    _create(
        "webhook_event",
        sa.Column("gateway_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT),
        sa.Column("rest_until", _INSTANT),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.UniqueConstraint("gateway_id", "event_id", name="uq_webhook_event_gateway_id_event_id"),
    )
    op.create_index("ix_webhook_event_due_at", "webhook_event", ["due_at"], postgresql_where="due_at IS NOT NULL")
