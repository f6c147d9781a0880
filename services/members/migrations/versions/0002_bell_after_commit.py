"""The relay is woken after a commit instead of inside of it.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

from common.db import install_plumbing

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Move the plumbing on."""
    install_plumbing(op, version=2)
