"""Methods of erased members, which their providers are to forget.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Members who were erased before are forgotten when they are told of again."""
    op.add_column("payment_method", sa.Column("forget_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_payment_method_forget_at", "payment_method", ["forget_at"], postgresql_where="forget_at IS NOT NULL"
    )
