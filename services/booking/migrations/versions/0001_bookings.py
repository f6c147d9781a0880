"""Plumbing, copies of what is on sale and who buys it, bookings, credits, passes, calendars.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, INT8RANGE, JSONB, TSTZRANGE, ExcludeConstraint

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)
_DECIMAL = sa.Numeric(18, 6)


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    _create_offers()
    _create_customers()
    _create_bookings()
    _create_credits()
    _create_visits()
    _create_calendar_feeds()


def _create(table: str, *columns: sa.Column | sa.Constraint, versioned: bool = True, indexed: bool = True) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        *([sa.Column("version", sa.BigInteger, nullable=False)] if versioned else []),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    if indexed:
        op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])
    protect_table(op, table)


def _index(table: str, *columns: str, where: str | None = None) -> None:
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(name, table, list(columns), postgresql_where=sa.text(where) if where else None)


def _create_offers() -> None:
    _create(
        "location",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    _create(
        "resource",
        sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("capacity", sa.BigInteger, nullable=False),
        sa.Column("parent_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("is_free", sa.Boolean, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.UniqueConstraint("number", name="uq_resource_number"),
    )
    _index("resource", "location_id")
    op.create_index("ix_resource_parent_ids", "resource", ["parent_ids"], postgresql_using="gin")
    _create(
        "resource_rate",
        sa.Column("resource_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("resource_types", ARRAY(sa.Text), nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    _create(
        "plan",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    _create(
        "promo_code",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    _index("promo_code", "organization_id", "code")


def _create_customers() -> None:
    _create(
        "customer",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("company_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    _create("customer_standing", sa.Column("bookings_blocked", sa.Boolean, nullable=False))
    _create(
        "membership",
        sa.Column("plan_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("start_date", sa.Date, nullable=False),
        sa.Column("end_date", sa.Date),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("discount_percent", _DECIMAL, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("grant_due_at", _INSTANT),
    )
    _index("membership", "member_id")
    _index("membership", "company_id")
    _index("membership", "grant_due_at", where="grant_due_at IS NOT NULL")
    _create("billing_settings", sa.Column("state", JSONB, nullable=False))


def _create_bookings() -> None:
    _create(
        "booking_series",
        sa.Column("rrule", sa.Text, nullable=False),
        sa.Column("exdates", JSONB, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
    )
    _create(
        "booking",
        sa.Column("series_id", sa.Uuid),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("resource_id", sa.Uuid, nullable=False),
        sa.Column("resource_name", sa.Text, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("unit_no", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("is_personal", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("price", JSONB, nullable=False),
        sa.Column("pricing", JSONB, nullable=False),
        sa.Column("credits_used", _DECIMAL, nullable=False),
        sa.Column("payment", sa.Text, nullable=False),
        sa.Column("hold_expires_at", _INSTANT),
        sa.Column("checkout_id", sa.Uuid),
        sa.Column("check_in_within_minutes", sa.BigInteger),
        sa.Column("checked_in_at", _INSTANT),
        sa.Column("cancelled_at", _INSTANT),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("cancellation_fee_minor", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.Column("extras", JSONB, nullable=False),
        sa.Column("overridden", JSONB, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT),
        sa.ForeignKeyConstraint(["series_id"], ["booking_series.id"], name="fk_booking_series_id"),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_booking_end_after_start")),
        indexed=False,
    )
    _index("booking", "organization_id", "starts_at")
    _index("booking", "resource_id", "starts_at")
    _index("booking", "member_id")
    _index("booking", "company_id")
    _index("booking", "series_id", where="series_id IS NOT NULL")
    _index("booking", "due_at", where="due_at IS NOT NULL")
    op.create_table(
        "occupancy",
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("units", INT8RANGE, nullable=False),
        sa.Column("during", TSTZRANGE, nullable=False),
        sa.Column("lapses_at", _INSTANT),
        sa.PrimaryKeyConstraint("booking_id", "units", name="pk_occupancy"),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name="fk_occupancy_booking_id", deferrable=True, initially="DEFERRED"
        ),
        ExcludeConstraint(("units", "&&"), ("during", "&&"), name="ex_occupancy_taken", using="gist"),
    )


def _create_credits() -> None:
    _create(
        "credit_grant",
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("membership_id", sa.Uuid),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("hours", _DECIMAL, nullable=False),
        sa.Column("reserved", _DECIMAL, nullable=False),
        sa.Column("consumed", _DECIMAL, nullable=False),
        sa.Column("expired", _DECIMAL, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("due_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint(
            "membership_id", "valid_from", "source", name="uq_credit_grant_membership_id_valid_from_source"
        ),
        sa.CheckConstraint("hours - reserved - consumed - expired >= 0", name=op.f("ck_credit_grant_not_below_zero")),
        sa.CheckConstraint("reserved >= 0 AND consumed >= 0 AND expired >= 0", name=op.f("ck_credit_grant_sums")),
        versioned=False,
    )
    _index("credit_grant", "member_id")
    _index("credit_grant", "company_id")
    _index("credit_grant", "due_at", where="due_at IS NOT NULL")
    _create(
        "credit_entry",
        sa.Column("grant_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("hours", _DECIMAL, nullable=False),
        sa.Column("booking_id", sa.Uuid),
        sa.Column("at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["credit_grant.id"], name="fk_credit_entry_grant_id"),
        sa.CheckConstraint("hours > 0", name=op.f("ck_credit_entry_hours")),
        versioned=False,
    )
    _index("credit_entry", "grant_id")
    _index("credit_entry", "booking_id")


def _create_visits() -> None:
    _create(
        "day_pass",
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("membership_id", sa.Uuid),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("days", sa.BigInteger, nullable=False),
        sa.Column("remaining", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("location_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("membership_id", "valid_from", name="uq_day_pass_membership_id_valid_from"),
        sa.CheckConstraint("remaining >= 0 AND remaining <= days", name=op.f("ck_day_pass_remaining")),
    )
    _index("day_pass", "member_id")
    _index("day_pass", "company_id")
    _create(
        "pass_use",
        sa.Column("pass_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.ForeignKeyConstraint(["pass_id"], ["day_pass.id"], name="fk_pass_use_pass_id"),
        sa.UniqueConstraint(
            "organization_id",
            "member_id",
            "location_id",
            "day",
            name="uq_pass_use_organization_id_member_id_location_id_day",
        ),
        versioned=False,
    )
    _index("pass_use", "pass_id")
    _create(
        "check_in",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("booking_id", sa.Uuid),
        sa.Column("pass_id", sa.Uuid),
        sa.Column("checked_in_at", _INSTANT, nullable=False),
        sa.Column("checked_out_at", _INSTANT),
        sa.Column("closed_by_system", sa.Boolean, nullable=False),
        sa.Column("due_at", _INSTANT),
    )
    _index("check_in", "member_id")
    _index("check_in", "due_at", where="due_at IS NOT NULL")
    op.create_index(
        "uq_check_in_open",
        "check_in",
        ["organization_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("checked_out_at IS NULL"),
    )


def _create_calendar_feeds() -> None:
    _create(
        "calendar_feed",
        sa.Column("member_id", sa.Uuid),
        sa.Column("resource_id", sa.Uuid),
        sa.Column("secret_digest", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("secret_digest", name="uq_calendar_feed_secret_digest"),
        versioned=False,
    )
    _index("calendar_feed", "member_id")
    _index("calendar_feed", "resource_id")
