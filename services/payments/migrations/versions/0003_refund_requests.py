"""Refunds know the request of invoicing that asked for them.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Until now the request's id was hidden in the request key: ``surplus:<id>:<refund>``."""
    op.add_column("refund", sa.Column("request_id", sa.Uuid))
    op.execute(
        "UPDATE refund SET request_id = split_part(request_key, ':', 2)::uuid, request_key = NULL "
        "WHERE request_key LIKE 'surplus:%'"
    )
    op.create_index("ix_refund_request_id", "refund", ["request_id"], postgresql_where="request_id IS NOT NULL")
