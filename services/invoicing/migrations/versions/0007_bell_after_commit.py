"""The relay is woken after a commit instead of inside of it.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op

from common.db import install_plumbing

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Move the plumbing on."""
    install_plumbing(op, version=2)
