"""Memberships end when an invoice stays unpaid, where the organisation wishes it (PAY-8).

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Off for everybody until somebody sets a number of days."""
    op.add_column("billing_settings", sa.Column("end_memberships_after_days", sa.BigInteger))
    op.add_column(
        "invoice", sa.Column("memberships_ended", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
