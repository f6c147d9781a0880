"""Parallel taxes of locations, resource rates and plans.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; what is there already has one tax or none."""
    for table in ("location", "resource_rate", "plan"):
        op.add_column(table, sa.Column("taxes", JSONB))
