"""Parallel taxes, and what the buyers of one-off plans get.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import protect_table

revision = "0003"
down_revision = "0002"

_DECIMAL = sa.Numeric(18, 6)


def upgrade() -> None:
    """Add the columns and the table; what is there already has one tax and gave nothing."""
    op.add_column("fee", sa.Column("taxes", JSONB))
    op.add_column("billing_settings", sa.Column("taxes", JSONB))
    op.add_column("billing_settings", sa.Column("tax_overrides", JSONB, nullable=False, server_default="[]"))
    op.alter_column("billing_settings", "tax_overrides", server_default=None)
    op.add_column("plan", sa.Column("allowance_valid_days", sa.BigInteger))
    _create_plan_purchase()


def _create_plan_purchase() -> None:
    op.create_table(
        "plan_purchase",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("fee_id", sa.Uuid, nullable=False),
        sa.Column("plan_id", sa.Uuid, nullable=False),
        sa.Column("plan_name", sa.Text, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("purchased_on", sa.Date, nullable=False),
        sa.Column("quantity", _DECIMAL, nullable=False),
        sa.Column("passes", sa.BigInteger, nullable=False),
        sa.Column("credits_hours", _DECIMAL, nullable=False),
        sa.Column("valid_days", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_purchase"),
        sa.UniqueConstraint("fee_id", name="uq_plan_purchase_fee_id"),
        sa.CheckConstraint(
            "status IN ('awaiting_payment', 'active', 'cancelled')", name=op.f("ck_plan_purchase_status")
        ),
    )
    op.create_index("ix_plan_purchase_organization_id", "plan_purchase", ["organization_id"])
    protect_table(op, "plan_purchase")
