"""Parallel taxes that catalog announces, and what memberships and fees take from there.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

_COLUMNS = {"location": "taxes", "plan": "taxes", "membership": "listed_taxes", "fee": "listed_taxes"}


def upgrade() -> None:
    """Add the columns; what is there already has one tax or none."""
    for table, column in _COLUMNS.items():
        op.add_column(table, sa.Column(column, JSONB))
