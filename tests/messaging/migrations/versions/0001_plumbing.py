"""The plumbing tables, and one table for handlers to leave their marks in."""

from alembic import op

from common.db import install_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    install_plumbing(op)
    op.execute("CREATE TABLE mark (place bigserial PRIMARY KEY, organization_id uuid, aggregate_id uuid, number int)")
