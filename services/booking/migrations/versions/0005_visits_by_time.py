"""Check-ins are found by their time, for reports.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_check_in_organization_id_checked_in_at", "check_in", ["organization_id", "checked_in_at"])
