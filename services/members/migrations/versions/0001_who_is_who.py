"""Plumbing, people, access and what belongs to organisations.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None
TENANT_TABLES = (
    "api_key",
    "clock_target",
    "company",
    "csv_import",
    "entry_token",
    "location_copy",
    "member",
    "refresh_token",
    "sign_in",
    "staff_user",
)


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    _create_people()
    _create_access()
    _create_organization_records()
    for table in TENANT_TABLES:
        protect_table(op, table)


def _create_people() -> None:
    op.create_table(
        "company",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("billing", JSONB(), nullable=False),
        sa.Column("billing_day", sa.SmallInteger(), nullable=True),
        sa.Column("auto_collect", sa.Boolean(), nullable=False),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'archived')", name="ck_company_status"),
        sa.CheckConstraint("billing_day BETWEEN 1 AND 31", name="ck_company_billing_day"),
        sa.PrimaryKeyConstraint("id", name="pk_company"),
    )
    op.create_index("ix_company_organization_id", "company", ["organization_id"])
    op.create_table(
        "member",
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("is_billing_person", sa.Boolean(), nullable=False),
        sa.Column("is_contact_person", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("billing", JSONB(), nullable=False),
        sa.Column("billing_day", sa.SmallInteger(), nullable=True),
        sa.Column("auto_collect", sa.Boolean(), nullable=False),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('active', 'archived', 'erased')", name="ck_member_status"),
        sa.CheckConstraint("billing_day BETWEEN 1 AND 31", name="ck_member_billing_day"),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name="fk_member_company_id"),
        sa.PrimaryKeyConstraint("id", name="pk_member"),
    )
    op.create_index("ix_member_company_id", "member", ["company_id"])
    op.create_index("ix_member_organization_id", "member", ["organization_id"])
    op.create_index(
        "uq_member_email",
        "member",
        ["organization_id", sa.literal_column("lower(email)")],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "staff_user",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("location_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'admin', 'front_desk', 'accountant')", name="ck_staff_user_role"),
        sa.CheckConstraint("status IN ('invited', 'active', 'deactivated')", name="ck_staff_user_status"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_user"),
    )
    op.create_index("ix_staff_user_organization_id", "staff_user", ["organization_id"])
    op.create_index(
        "uq_staff_user_email",
        "staff_user",
        ["organization_id", sa.literal_column("lower(email)")],
        unique=True,
        postgresql_where=sa.text("status <> 'deactivated'"),
    )


def _create_access() -> None:
    op.create_table(
        "token_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("use_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid", name="pk_token_key"),
    )
    op.create_table(
        "sign_in",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_organization_id", "sign_in", ["organization_id"])
    op.create_index("ix_sign_in_subject", "sign_in", ["subject"])
    op.create_table(
        "refresh_token",
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_token"),
        sa.UniqueConstraint("token_hash", name="uq_refresh_token_token_hash"),
    )
    op.create_index("ix_refresh_token_organization_id", "refresh_token", ["organization_id"])
    op.create_index("ix_refresh_token_sign_in_id", "refresh_token", ["sign_in_id"])
    op.create_table(
        "entry_token",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('link', 'invitation')", name="ck_entry_token_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_entry_token"),
        sa.UniqueConstraint("token_hash", name="uq_entry_token_token_hash"),
    )
    op.create_index("ix_entry_token_organization_id", "entry_token", ["organization_id"])
    op.create_index("ix_entry_token_subject", "entry_token", ["subject"])
    op.create_table(
        "api_key",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("location_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'front_desk', 'accountant')", name="ck_api_key_role"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_hash", name="uq_api_key_key_hash"),
        sa.UniqueConstraint("request_digest", name="uq_api_key_request_digest"),
    )
    op.create_index("ix_api_key_organization_id", "api_key", ["organization_id"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_window_ends_at", "sign_in_attempts", ["window_ends_at"])


def _create_organization_records() -> None:
    op.create_table(
        "clock_target",
        sa.Column("target", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock_target"),
        sa.UniqueConstraint("organization_id", name="uq_clock_target_organization_id"),
    )
    op.create_index("ix_clock_target_organization_id", "clock_target", ["organization_id"])
    op.create_table(
        "sign_up",
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name="pk_sign_up"),
    )
    op.create_table(
        "csv_import",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_csv_import"),
        sa.UniqueConstraint("organization_id", "idempotency_key", name="uq_csv_import_organization_id_idempotency_key"),
    )
    op.create_index("ix_csv_import_organization_id", "csv_import", ["organization_id"])
    op.create_table(
        "location_copy",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_location_copy"),
    )
    op.create_index("ix_location_copy_organization_id", "location_copy", ["organization_id"])
