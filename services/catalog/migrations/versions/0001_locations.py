"""Plumbing and locations.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    op.create_table(
        "location",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("address", JSONB, nullable=False),
        sa.Column("opening_hours", JSONB, nullable=False),
        sa.Column("closures", JSONB, nullable=False),
        sa.Column("tax_percent", sa.Numeric(18, 6)),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_location"),
        sa.UniqueConstraint("organization_id", "code", name="uq_location_organization_id_code"),
    )
    op.create_index("ix_location_organization_id", "location", ["organization_id"])
    protect_table(op, "location")
