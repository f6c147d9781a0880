"""Where customers belong, who was erased, and since when an endpoint has failed.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Customers' locations are known once they are heard of again; until then they belong to none."""
    op.add_column("member_copy", sa.Column("location_id", sa.Uuid))
    op.add_column("member_copy", sa.Column("status", sa.Text, nullable=False, server_default="active"))
    op.add_column("company_copy", sa.Column("location_id", sa.Uuid))
    op.add_column("webhook_endpoint", sa.Column("failing_since", sa.DateTime(timezone=True)))
