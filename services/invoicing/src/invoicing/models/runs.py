"""Billing runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from invoicing.models.metadata import Base


class BillingRun(TenantMixin, VersionMixin, Base):
    """A stored run (BIL-4). ``cursor`` is the last customer done, ``resume_at`` set while work is left."""

    __tablename__ = "billing_run"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'completed', 'completed_with_errors')", name="status"),
        Index("ix_billing_run_resume_at", "organization_id", "resume_at", postgresql_where="resume_at IS NOT NULL"),
        Index(
            "uq_billing_run_organization_id_idempotency_key",
            "organization_id",
            "idempotency_key",
            unique=True,
            postgresql_where="idempotency_key IS NOT NULL",
        ),
    )

    kind: Mapped[str]
    as_of: Mapped[date]
    location_id: Mapped[UUID | None]
    payer_id: Mapped[UUID | None]
    status: Mapped[str]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    errors: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    cursor: Mapped[UUID | None]
    resume_at: Mapped[datetime | None]
    idempotency_key: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
