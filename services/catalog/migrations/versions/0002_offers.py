"""Resources with pictures, rates, plans, promo codes, storefront settings; a location's code is free once archived.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from common.db import protect_table

revision = "0002"
down_revision = "0001"

_INSTANT = sa.DateTime(timezone=True)
_DECIMAL = sa.Numeric(18, 6)


def upgrade() -> None:
    """Create the tables of everything on sale."""
    op.drop_constraint("uq_location_organization_id_code", "location", type_="unique")
    _unique_while_not_archived("location", "code")
    _create_resource()
    _create_resource_picture()
    _create_resource_rate()
    _create_plan()
    _create_promo_code()
    _create_storefront_settings()


def _create(table: str, *columns: sa.Column | sa.Constraint, versioned: bool = True) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        *([sa.Column("version", sa.BigInteger, nullable=False)] if versioned else []),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])
    protect_table(op, table)


def _unique_while_not_archived(table: str, column: str) -> None:
    op.create_index(
        f"uq_{table}_organization_id_{column}",
        table,
        ["organization_id", column],
        unique=True,
        postgresql_where="archived_at IS NULL",
    )


def _create_resource() -> None:
    _create(
        "resource",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("capacity", sa.BigInteger, nullable=False),
        sa.Column("seats", sa.BigInteger),
        sa.Column("parent_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("amenities", ARRAY(sa.Text), nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("plan_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("is_free", sa.Boolean, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("booking_policy", JSONB, nullable=False),
        sa.Column("cancellation_policy", JSONB, nullable=False),
        sa.Column("archived_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_resource_capacity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name="fk_resource_location_id"),
    )
    op.create_index("ix_resource_location_id", "resource", ["location_id"])


def _create_resource_picture() -> None:
    _create(
        "resource_picture",
        sa.Column("resource_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("alt", sa.Text, nullable=False),
        sa.Column("width", sa.BigInteger, nullable=False),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("small", sa.LargeBinary, nullable=False),
        sa.Column("medium", sa.LargeBinary, nullable=False),
        sa.Column("large", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name="fk_resource_picture_resource_id"),
        versioned=False,
    )
    op.create_index("ix_resource_picture_resource_id", "resource_picture", ["resource_id"])


def _create_resource_rate() -> None:
    _create(
        "resource_rate",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("resource_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("resource_types", ARRAY(sa.Text), nullable=False),
        sa.Column("prices", JSONB, nullable=False),
        sa.Column("conditions", JSONB, nullable=False),
        sa.Column("charge_slot_minutes", sa.BigInteger, nullable=False),
        sa.Column("extras", JSONB, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("tax_percent", _DECIMAL),
        sa.Column("prices_include_tax", sa.Boolean),
        sa.Column("revenue_account", sa.Text),
        sa.Column("open_to_public", sa.Boolean, nullable=False),
        sa.Column("for_public", sa.Boolean, nullable=False),
        sa.Column("for_members", sa.Boolean, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("archived_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
    )


def _create_plan() -> None:
    _create(
        "plan",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("interval", sa.Text),
        sa.Column("interval_count", sa.BigInteger, nullable=False),
        sa.Column("prorate", sa.Boolean, nullable=False),
        sa.Column("setup_fee_minor", sa.BigInteger),
        sa.Column("deposit_minor", sa.BigInteger),
        sa.Column("trial_days", sa.BigInteger, nullable=False),
        sa.Column("minimum_term_months", sa.BigInteger, nullable=False),
        sa.Column("notice_days", sa.BigInteger, nullable=False),
        sa.Column("credits_hours", _DECIMAL, nullable=False),
        sa.Column("credits_carry_over_cap", _DECIMAL, nullable=False),
        sa.Column("passes", sa.BigInteger, nullable=False),
        sa.Column("resource_discount_percent", _DECIMAL, nullable=False),
        sa.Column("tax_percent", _DECIMAL),
        sa.Column("tax_category", sa.Text),
        sa.Column("prices_include_tax", sa.Boolean),
        sa.Column("revenue_account", sa.Text),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("archived_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('recurring', 'one_off')", name=op.f("ck_plan_kind")),
        sa.CheckConstraint("(kind = 'recurring') = (interval IS NOT NULL)", name=op.f("ck_plan_interval")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_plan_price")),
    )


def _create_promo_code() -> None:
    _create(
        "promo_code",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("percent", _DECIMAL),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("max_uses", sa.BigInteger),
        sa.Column("max_uses_per_customer", sa.BigInteger),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("archived_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "(percent IS NULL) <> (amount_minor IS NULL)", name=op.f("ck_promo_code_percent_xor_amount")
        ),
    )
    _unique_while_not_archived("promo_code", "code")


def _create_storefront_settings() -> None:
    _create(
        "storefront_settings",
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("headline", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("brand_color", sa.Text),
        sa.Column("contact_email", sa.Text),
        sa.Column("terms_url", sa.Text),
        sa.Column("privacy_url", sa.Text),
        sa.Column("guest_flow", sa.Text, nullable=False),
        sa.Column("member_flow", sa.Text, nullable=False),
        sa.UniqueConstraint("organization_id", name="uq_storefront_settings_organization_id"),
    )
