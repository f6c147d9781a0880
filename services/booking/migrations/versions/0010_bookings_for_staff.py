"""An index of the few bookings that need a person, so that the checklist finds them without all others.

Revision ID: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_booking_for_staff",
        "booking",
        ["organization_id", "starts_at"],
        postgresql_where="status = 'tentative' OR cancel_reason = 'paid_too_late'",
    )
