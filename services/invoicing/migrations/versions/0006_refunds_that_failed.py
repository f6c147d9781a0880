"""Refunds that did not reach the customer stay with us: they are kept apart from those that did (PAY-5).

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing is known to have failed so far."""
    op.add_column("refund_copy", sa.Column("failed", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("refund_copy", sa.Column("request_id", sa.Uuid))
