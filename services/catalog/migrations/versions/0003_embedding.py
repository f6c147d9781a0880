"""Sites that may embed the storefront.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the list; nobody embeds what is there already."""
    op.add_column(
        "storefront_settings", sa.Column("embed_origins", ARRAY(sa.Text), nullable=False, server_default="{}")
    )
    op.alter_column("storefront_settings", "embed_origins", server_default=None)
