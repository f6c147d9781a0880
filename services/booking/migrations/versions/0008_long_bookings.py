"""An index of the few bookings that last longer than a day, so that a week's bookings are found without all others.

Revision ID: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_booking_long",
        "booking",
        ["organization_id", "starts_at"],
        postgresql_where="ends_at - starts_at > interval '24 hours'",
    )
