"""A series of bookings is one mail: the occurrences that it tells of.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the list; mails written before have none."""
    op.add_column("notification", sa.Column("occurrences", JSONB, nullable=False, server_default="[]"))
