"""The cancellation policy that a booking was made under stays with it (BOK-5).

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

# What was booked before keeps the policy of today: no older one is known.
_FILL = """
UPDATE booking b SET cancellation_policy = coalesce(r.state -> 'cancellation_policy', '{}')
FROM resource r WHERE r.id = b.resource_id
"""


def upgrade() -> None:
    """Add the column."""
    op.add_column("booking", sa.Column("cancellation_policy", JSONB, nullable=False, server_default="{}"))
    op.execute(_FILL)
    op.alter_column("booking", "cancellation_policy", server_default=None)
