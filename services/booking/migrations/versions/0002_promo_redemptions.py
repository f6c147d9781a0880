"""Uses of promo codes by bookings.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.db import protect_table

revision = "0002"
down_revision = "0001"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "promo_redemption",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("promo_code_id", sa.Uuid, nullable=False),
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("used_for_id", sa.Uuid, nullable=False),
        sa.Column("lapses_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promo_redemption"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_promo_redemption_booking_id"),
        sa.UniqueConstraint("booking_id", name="uq_promo_redemption_booking_id"),
    )
    op.create_index("ix_promo_redemption_organization_id", "promo_redemption", ["organization_id"])
    op.create_index("ix_promo_redemption_promo_code_id", "promo_redemption", ["promo_code_id"])
    protect_table(op, "promo_redemption")
