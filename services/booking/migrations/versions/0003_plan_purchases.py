"""One-off plans that were bought, and the credits and passes they give.

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
    """Create the copies, and let each purchase give one grant and one pass."""
    op.create_table(
        "plan_purchase",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_purchase"),
    )
    op.create_index("ix_plan_purchase_organization_id", "plan_purchase", ["organization_id"])
    protect_table(op, "plan_purchase")
    for table in ("credit_grant", "day_pass"):
        op.add_column(table, sa.Column("purchase_id", sa.Uuid))
        op.create_unique_constraint(f"uq_{table}_purchase_id", table, ["purchase_id"])
