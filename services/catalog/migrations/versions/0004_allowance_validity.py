"""How long what a one-off plan gives is good.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what is on sale already gives what never expires."""
    op.add_column("plan", sa.Column("allowance_valid_days", sa.BigInteger))
