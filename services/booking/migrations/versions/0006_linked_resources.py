"""The linked resources of an organisation are found at once.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change the index."""
    linked = sa.text("parent_ids <> '{}'")
    op.create_index("ix_resource_linked", "resource", ["organization_id"], postgresql_where=linked)
    op.drop_index("ix_resource_parent_ids", "resource")
