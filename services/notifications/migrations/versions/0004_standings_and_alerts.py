"""Who is blocked already, and how many failed mails an alert does not name.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.db import protect_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Customers who are blocked now are known as such once they are heard of again."""
    op.add_column("notification", sa.Column("others", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "standing_copy",
        sa.Column("bookings_blocked", sa.Boolean, nullable=False),
        sa.Column("overdue_since", sa.Date),
        sa.Column("told_version", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standing_copy"),
    )
    op.create_index("ix_standing_copy_organization_id", "standing_copy", ["organization_id"])
    protect_table(op, "standing_copy")
