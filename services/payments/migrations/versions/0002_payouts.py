"""What providers paid out, and when to ask them again.

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
    """Create the tables; accounts that are connected already are asked at once."""
    _create_payout_feed()
    _create_payout()
    _create_payout_item()
    op.execute(
        "INSERT INTO payout_feed (id, organization_id, due_at) SELECT id, organization_id, now() FROM payment_gateway "
        "WHERE state = 'connected' AND provider IN ('stripe', 'gocardless')"
    )


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])
    protect_table(op, table)


def _create_payout_feed() -> None:
    _create(
        "payout_feed",
        sa.Column("due_at", _INSTANT),
        sa.Column("rest_until", _INSTANT),
        sa.Column("since", _INSTANT),
        sa.Column("fetched_at", _INSTANT),
        sa.Column("failure_code", sa.Text),
    )
    op.create_index("ix_payout_feed_due_at", "payout_feed", ["due_at"], postgresql_where="due_at IS NOT NULL")


def _create_payout() -> None:
    _create(
        "payout",
        sa.Column("gateway_id", sa.Uuid, nullable=False),
        sa.Column("provider_reference", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("arrives_on", sa.Date, nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("itemised", sa.Boolean, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("charged_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("disputed_minor", sa.BigInteger, nullable=False),
        sa.Column("fees_minor", sa.BigInteger, nullable=False),
        sa.Column("other_minor", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("gateway_id", "provider_reference", name="uq_payout_gateway_id_provider_reference"),
        sa.CheckConstraint("state IN ('on_the_way', 'paid', 'failed')", name="ck_payout_state"),
    )
    op.create_index("ix_payout_organization_id_arrives_on", "payout", ["organization_id", "arrives_on"])


def _create_payout_item() -> None:
    _create(
        "payout_item",
        sa.Column("payout_id", sa.Uuid, nullable=False),
        sa.Column("gateway_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("fee_minor", sa.BigInteger, nullable=False),
        sa.Column("paid_currency", sa.CHAR(3)),
        sa.Column("paid_minor", sa.BigInteger),
        sa.Column("charge_reference", sa.Text),
        sa.Column("refund_reference", sa.Text),
        sa.Column("provider_reference", sa.Text),
    )
    op.create_index("ix_payout_item_payout_id", "payout_item", ["payout_id"])
    op.create_index("ix_payout_item_gateway_id_charge_reference", "payout_item", ["gateway_id", "charge_reference"])
