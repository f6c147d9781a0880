"""What members may change about their own memberships, and which plans are sold to them.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the setting and the plan's visibility; what is there already takes the defaults."""
    default = sa.text('\'["plan_change", "end"]\'::jsonb')
    op.add_column("billing_settings", sa.Column("member_changes", JSONB, nullable=False, server_default=default))
    op.add_column("plan", sa.Column("visibility", sa.Text, nullable=False, server_default="public"))
    op.alter_column("billing_settings", "member_changes", server_default=None)
    op.alter_column("plan", "visibility", server_default=None)
