"""What is owed: settings, copies, charges, documents, runs and ledgers.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from common.db import install_plumbing, protect_table

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)
_DECIMAL = sa.Numeric(18, 6)


def upgrade() -> None:
    """Create the first tables."""
    install_plumbing(op)
    _create_account_credit()
    _create_billing_run()
    _create_billing_settings()
    _create_booking_copy()
    _create_chain_head()
    _create_chained_document()
    _create_credit_allocation()
    _create_customer()
    _create_deposit()
    _create_deposit_entry()
    _create_fee()
    _create_invoice()
    _create_location()
    _create_membership()
    _create_number_series()
    _create_payment_copy()
    _create_plan()
    _create_promo_code()
    _create_promo_redemption()
    _create_refund_copy()
    _create_credit_note()
    _create_invoice_line()
    _create_credit_note_line()


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


def _create_account_credit() -> None:
    _create(
        "account_credit",
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("left_minor", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.Uuid, nullable=False),
        sa.Column("dated", sa.Date, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("left_minor >= 0 AND left_minor <= amount_minor", name=op.f("ck_account_credit_left")),
        sa.UniqueConstraint("source", "source_id", name="uq_account_credit_source_source_id"),
        versioned=False,
    )
    op.create_index("ix_account_credit_payer_id", "account_credit", ["payer_id"], postgresql_where="left_minor > 0")


def _create_billing_run() -> None:
    _create(
        "billing_run",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("payer_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("errors", JSONB, nullable=False),
        sa.Column("cursor", sa.Uuid),
        sa.Column("resume_at", _INSTANT),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'completed_with_errors')", name=op.f("ck_billing_run_status")
        ),
    )
    op.create_index(
        "ix_billing_run_resume_at",
        "billing_run",
        ["organization_id", "resume_at"],
        postgresql_where="resume_at IS NOT NULL",
    )
    op.create_index(
        "uq_billing_run_organization_id_idempotency_key",
        "billing_run",
        ["organization_id", "idempotency_key"],
        unique=True,
        postgresql_where="idempotency_key IS NOT NULL",
    )


def _create_billing_settings() -> None:
    _create(
        "billing_settings",
        sa.Column("automatic_generation", sa.Boolean, nullable=False),
        sa.Column("automatic_sending", sa.Boolean, nullable=False),
        sa.Column("automatic_collection", sa.Boolean, nullable=False),
        sa.Column("pay_now", sa.Boolean, nullable=False),
        sa.Column("period_start", sa.Text, nullable=False),
        sa.Column("generate_days_before", sa.BigInteger, nullable=False),
        sa.Column("payment_terms_days", sa.BigInteger, nullable=False),
        sa.Column("tax_percent", _DECIMAL, nullable=False),
        sa.Column("prices_include_tax", sa.Boolean, nullable=False),
        sa.Column("number_template", sa.Text, nullable=False),
        sa.Column("credit_note_number_template", sa.Text, nullable=False),
        sa.Column("retry_days", JSONB, nullable=False),
        sa.Column("reminders", JSONB, nullable=False),
        sa.Column("block_bookings_after_days", sa.BigInteger),
        sa.Column("lock_date", sa.Date),
        sa.Column("charge_hour", sa.BigInteger, nullable=False),
        sa.Column("invoice_per", sa.Text, nullable=False),
        sa.Column("location_by", sa.Text, nullable=False),
        sa.Column("late_fee_percent", _DECIMAL, nullable=False),
        sa.Column("late_fee_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("late_fee_grace_days", sa.BigInteger, nullable=False),
        sa.Column("late_fee_repeat_days", sa.BigInteger, nullable=False),
        sa.Column("payment_instructions", sa.Text),
        sa.Column("invoice_footer", sa.Text),
        sa.CheckConstraint(
            "generate_days_before BETWEEN 0 AND 60", name=op.f("ck_billing_settings_generate_days_before")
        ),
        sa.CheckConstraint("payment_terms_days BETWEEN 0 AND 365", name=op.f("ck_billing_settings_payment_terms_days")),
        sa.UniqueConstraint("organization_id", name="uq_billing_settings_organization_id"),
    )


def _create_booking_copy() -> None:
    _create(
        "booking_copy",
        sa.Column("state", JSONB, nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
    )


def _create_chain_head() -> None:
    _create(
        "chain_head",
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("organization_id", name="uq_chain_head_organization_id"),
        versioned=False,
    )


def _create_chained_document() -> None:
    _create(
        "chained_document",
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("document_id", sa.Uuid, nullable=False),
        sa.Column("canonical", sa.LargeBinary, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("document_id", name="uq_chained_document_document_id"),
        sa.UniqueConstraint("organization_id", "position", name="uq_chained_document_organization_id_position"),
        versioned=False,
    )


def _create_credit_allocation() -> None:
    _create(
        "credit_allocation",
        sa.Column("invoice_id", sa.Uuid, nullable=False),
        sa.Column("credit_note_id", sa.Uuid),
        sa.Column("account_credit_id", sa.Uuid),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_credit_allocation_amount")),
        sa.CheckConstraint(
            "(credit_note_id IS NULL) <> (account_credit_id IS NULL)", name=op.f("ck_credit_allocation_one_source")
        ),
        versioned=False,
    )
    op.create_index("ix_credit_allocation_invoice_id", "credit_allocation", ["invoice_id"])


def _create_customer() -> None:
    _create(
        "customer",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("company_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("billing", JSONB, nullable=False),
        sa.Column("billing_day", sa.BigInteger),
        sa.Column("auto_collect", sa.Boolean, nullable=False),
        sa.Column("reminders", sa.Boolean, nullable=False),
        sa.Column("is_billing_person", sa.Boolean, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("overdue_since", sa.Date),
        sa.Column("bookings_blocked", sa.Boolean, nullable=False),
        sa.Column("standing_version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('member', 'company')", name=op.f("ck_customer_kind")),
    )


def _create_deposit() -> None:
    _create(
        "deposit",
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("invoice_id", sa.Uuid, nullable=False),
        sa.Column("invoice_line_id", sa.Uuid, nullable=False),
        sa.Column("membership_id", sa.Uuid),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("held_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("held_minor >= 0", name=op.f("ck_deposit_held")),
        sa.UniqueConstraint("invoice_line_id", name="uq_deposit_invoice_line_id"),
    )
    op.create_index("ix_deposit_payer_id", "deposit", ["payer_id"])


def _create_deposit_entry() -> None:
    _create(
        "deposit_entry",
        sa.Column("deposit_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("dated", sa.Date, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        versioned=False,
    )
    op.create_index("ix_deposit_entry_deposit_id", "deposit_entry", ["deposit_id"])


def _create_fee() -> None:
    _create(
        "fee",
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("is_personal", sa.Boolean, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.Uuid),
        sa.Column("part", sa.BigInteger, nullable=False),
        sa.Column("plan_id", sa.Uuid),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("quantity", _DECIMAL, nullable=False),
        sa.Column("discount_percent", _DECIMAL, nullable=False),
        sa.Column("discount_minor", sa.BigInteger, nullable=False),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("tax_percent", _DECIMAL),
        sa.Column("tax_category", sa.Text),
        sa.Column("prices_include_tax", sa.Boolean),
        sa.Column("revenue_account", sa.Text),
        sa.Column("dated", sa.Date, nullable=False),
        sa.Column("created_on", sa.Date, nullable=False),
        sa.Column("bill_in_advance", sa.Boolean, nullable=False),
        sa.Column("is_refundable", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("issue_on", sa.Date),
        sa.Column("run_at", _INSTANT),
        sa.Column("invoice_id", sa.Uuid),
        sa.Column("checkout_id", sa.Uuid),
        sa.Column("promo_code_id", sa.Uuid),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "status IN ('unbilled', 'invoiced', 'waived', 'removed', 'amended')", name=op.f("ck_fee_status")
        ),
    )
    op.create_index("ix_fee_payer_id", "fee", ["payer_id"])
    op.create_index("ix_fee_run_at", "fee", ["organization_id", "run_at"], postgresql_where="run_at IS NOT NULL")
    op.create_index(
        "uq_fee_source_id_source_part",
        "fee",
        ["source_id", "source", "part"],
        unique=True,
        postgresql_where="source_id IS NOT NULL AND status IN ('unbilled', 'invoiced', 'waived')",
    )


def _create_invoice() -> None:
    _create(
        "invoice",
        sa.Column("number", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payment_state", sa.Text, nullable=False),
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("customer", JSONB, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("issue_date", sa.Date, nullable=False),
        sa.Column("due_date", sa.Date, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("discounts", JSONB, nullable=False),
        sa.Column("discount_total_minor", sa.BigInteger, nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger, nullable=False),
        sa.Column("tax_breakdown", JSONB, nullable=False),
        sa.Column("tax_total_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("paid_minor", sa.BigInteger, nullable=False),
        sa.Column("credited_minor", sa.BigInteger, nullable=False),
        sa.Column("payable_minor", sa.BigInteger, nullable=False),
        sa.Column("processing_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("collect", sa.Boolean, nullable=False),
        sa.Column("collect_now", sa.Boolean, nullable=False),
        sa.Column("booking_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("checkout_id", sa.Uuid),
        sa.Column("billing_run_id", sa.Uuid),
        sa.Column("send_at", _INSTANT),
        sa.Column("sent_at", _INSTANT),
        sa.Column("sent_to", sa.Text),
        sa.Column("sendings", sa.BigInteger, nullable=False),
        sa.Column("send_problem", sa.Text),
        sa.Column("dunning_at", _INSTANT),
        sa.Column("reminded", JSONB, nullable=False),
        sa.Column("overdue_announced", sa.Boolean, nullable=False),
        sa.Column("late_fees", sa.BigInteger, nullable=False),
        sa.Column("paid_at", _INSTANT),
        sa.Column("voided_at", _INSTANT),
        sa.Column("void_reason", sa.Text),
        sa.Column("issued_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "paid_minor >= 0 AND credited_minor >= 0 AND payable_minor >= 0", name=op.f("ck_invoice_amounts")
        ),
        sa.CheckConstraint(
            "total_minor = paid_minor + credited_minor + payable_minor", name=op.f("ck_invoice_balance")
        ),
        sa.CheckConstraint("(state = 'draft') = (number IS NULL)", name=op.f("ck_invoice_number")),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name=op.f("ck_invoice_state")
        ),
        sa.UniqueConstraint("organization_id", "number", name="uq_invoice_organization_id_number"),
    )
    op.create_index("ix_invoice_billing_run_id", "invoice", ["billing_run_id"])
    op.create_index("ix_invoice_checkout_id", "invoice", ["checkout_id"], postgresql_where="checkout_id IS NOT NULL")
    op.create_index(
        "ix_invoice_dunning_at", "invoice", ["organization_id", "dunning_at"], postgresql_where="dunning_at IS NOT NULL"
    )
    op.create_index("ix_invoice_organization_id_issue_date", "invoice", ["organization_id", "issue_date"])
    op.create_index("ix_invoice_payer_id", "invoice", ["payer_id"])
    op.create_index(
        "ix_invoice_send_at", "invoice", ["organization_id", "send_at"], postgresql_where="send_at IS NOT NULL"
    )


def _create_location() -> None:
    _create(
        "location",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("address", JSONB, nullable=False),
        sa.Column("tax_percent", _DECIMAL),
        sa.Column("archived", sa.Boolean, nullable=False),
    )


def _create_membership() -> None:
    _create(
        "membership",
        sa.Column("plan_id", sa.Uuid, nullable=False),
        sa.Column("plan_name", sa.Text, nullable=False),
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("is_personal", sa.Boolean, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("start_date", sa.Date, nullable=False),
        sa.Column("end_date", sa.Date),
        sa.Column("end_reason", sa.Text),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("quantity", _DECIMAL, nullable=False),
        sa.Column("discount_percent", _DECIMAL, nullable=False),
        sa.Column("interval", sa.Text, nullable=False),
        sa.Column("interval_count", sa.BigInteger, nullable=False),
        sa.Column("anchor_date", sa.Date, nullable=False),
        sa.Column("prorate", sa.Boolean, nullable=False),
        sa.Column("trial_days", sa.BigInteger, nullable=False),
        sa.Column("setup_fee_minor", sa.BigInteger),
        sa.Column("deposit_minor", sa.BigInteger),
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
        sa.Column("pauses", JSONB, nullable=False),
        sa.Column("billed_until", sa.Date),
        sa.Column("earliest_issue", sa.Date, nullable=False),
        sa.Column("issue_on", sa.Date),
        sa.Column("run_at", _INSTANT),
        sa.Column("replaces_id", sa.Uuid),
        sa.Column("promo_code_id", sa.Uuid),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date - 1", name=op.f("ck_membership_dates")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_membership_price")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_membership_quantity")),
    )
    op.create_index("ix_membership_member_id", "membership", ["member_id"])
    op.create_index("ix_membership_payer_id", "membership", ["payer_id"])
    op.create_index(
        "ix_membership_run_at", "membership", ["organization_id", "run_at"], postgresql_where="run_at IS NOT NULL"
    )


def _create_number_series() -> None:
    _create(
        "number_series",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("series_key", sa.Text, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("organization_id", "kind", "series_key", name="uq_number_series_organization_id_kind"),
        versioned=False,
    )


def _create_payment_copy() -> None:
    _create(
        "payment_copy",
        sa.Column("invoice_id", sa.Uuid),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_payment_copy_invoice_id", "payment_copy", ["invoice_id"])


def _create_plan() -> None:
    _create(
        "plan",
        sa.Column("name", sa.Text, nullable=False),
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
        sa.Column("archived", sa.Boolean, nullable=False),
    )


def _create_promo_code() -> None:
    _create(
        "promo_code",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("percent", _DECIMAL),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("currency", sa.CHAR(3)),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("max_uses", sa.BigInteger),
        sa.Column("max_uses_per_customer", sa.BigInteger),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("archived", sa.Boolean, nullable=False),
    )
    op.create_index("ix_promo_code_organization_id_code", "promo_code", ["organization_id", "code"])


def _create_promo_redemption() -> None:
    _create(
        "promo_redemption",
        sa.Column("promo_code_id", sa.Uuid, nullable=False),
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("used_for_id", sa.Uuid, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("promo_code_id", "used_for_id", name="uq_promo_redemption_promo_code_id_used_for_id"),
        versioned=False,
    )


def _create_refund_copy() -> None:
    _create(
        "refund_copy",
        sa.Column("payment_id", sa.Uuid, nullable=False),
        sa.Column("invoice_id", sa.Uuid),
        sa.Column("credit_note_id", sa.Uuid),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        versioned=False,
    )
    op.create_index("ix_refund_copy_invoice_id", "refund_copy", ["invoice_id"])


def _create_credit_note() -> None:
    _create(
        "credit_note",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("invoice_id", sa.Uuid, nullable=False),
        sa.Column("payer_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("company_id", sa.Uuid),
        sa.Column("customer", JSONB, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("issue_date", sa.Date, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger, nullable=False),
        sa.Column("tax_breakdown", JSONB, nullable=False),
        sa.Column("tax_total_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("allocated_minor", sa.BigInteger, nullable=False),
        sa.Column("to_account_credit_minor", sa.BigInteger, nullable=False),
        sa.Column("refund_minor", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("billing_run_id", sa.Uuid),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "total_minor = allocated_minor + to_account_credit_minor + refund_minor", name=op.f("ck_credit_note_split")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_credit_note_invoice_id"),
        sa.UniqueConstraint("organization_id", "number", name="uq_credit_note_organization_id_number"),
    )
    op.create_index("ix_credit_note_invoice_id", "credit_note", ["invoice_id"])
    op.create_index("ix_credit_note_payer_id", "credit_note", ["payer_id"])


def _create_invoice_line() -> None:
    _create(
        "invoice_line",
        sa.Column("invoice_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("explain", sa.Text),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("membership_id", sa.Uuid),
        sa.Column("fee_id", sa.Uuid),
        sa.Column("booking_id", sa.Uuid),
        sa.Column("plan_id", sa.Uuid),
        sa.Column("location_id", sa.Uuid),
        sa.Column("revenue_account", sa.Text),
        sa.Column("period_start", sa.Date),
        sa.Column("period_end", sa.Date),
        sa.Column("quantity", _DECIMAL, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger, nullable=False),
        sa.Column("discount_percent", _DECIMAL, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("discount_minor", sa.BigInteger, nullable=False),
        sa.Column("net_minor", sa.BigInteger, nullable=False),
        sa.Column("tax_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("taxes", JSONB, nullable=False),
        sa.Column("prices_include_tax", sa.Boolean, nullable=False),
        sa.Column("used_days", sa.BigInteger),
        sa.Column("full_days", sa.BigInteger),
        sa.Column("charged_days", sa.BigInteger),
        sa.Column("is_refundable", sa.Boolean, nullable=False),
        sa.Column("credited_net_minor", sa.BigInteger, nullable=False),
        sa.Column("credited_taxes", JSONB, nullable=False),
        sa.Column("released", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_invoice_line_invoice_id"),
        versioned=False,
    )
    op.create_index("ix_invoice_line_invoice_id", "invoice_line", ["invoice_id"])
    op.create_index(
        "uq_invoice_line_fee_id",
        "invoice_line",
        ["fee_id"],
        unique=True,
        postgresql_where="fee_id IS NOT NULL AND NOT released",
    )
    op.create_index(
        "uq_invoice_line_membership_id_period_start_kind",
        "invoice_line",
        ["membership_id", "period_start", "kind"],
        unique=True,
        postgresql_where="membership_id IS NOT NULL AND NOT released",
    )


def _create_credit_note_line() -> None:
    _create(
        "credit_note_line",
        sa.Column("credit_note_id", sa.Uuid, nullable=False),
        sa.Column("invoice_line_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("explain", sa.Text),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("net_minor", sa.BigInteger, nullable=False),
        sa.Column("tax_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("taxes", JSONB, nullable=False),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.id"], name="fk_credit_note_line_credit_note_id"),
        versioned=False,
    )
    op.create_index("ix_credit_note_line_credit_note_id", "credit_note_line", ["credit_note_id"])
