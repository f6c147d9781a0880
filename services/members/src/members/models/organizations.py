"""What this service keeps about organisations beside the shared table ``organization``, which it owns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from members.models.metadata import Base


class ClockTarget(TenantMixin, Base):
    """How far a rehearsal organisation's clock is to be moved; kept so that an interrupted advance can go on."""

    __tablename__ = "clock_target"
    __table_args__ = (UniqueConstraint("organization_id"),)

    target: Mapped[datetime]


class SignUp(Base):
    """A sign-up that was sent with an idempotency key, by keyed digests only: the body holds a password."""

    __tablename__ = "sign_up"

    key_digest: Mapped[bytes] = mapped_column(primary_key=True)
    body_digest: Mapped[bytes]
    organization_id: Mapped[UUID]
    user_id: Mapped[UUID]
    created_at: Mapped[datetime]


class CsvImport(TenantMixin, Base):
    """A finished import and its report; the same key and file get the same report again."""

    __tablename__ = "csv_import"
    __table_args__ = (UniqueConstraint("organization_id", "idempotency_key"),)

    kind: Mapped[str]
    idempotency_key: Mapped[str | None]
    digest: Mapped[bytes]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    created_at: Mapped[datetime]


class LocationCopy(TenantMixin, Base):
    """A location of the catalogue, as far as people are assigned to one."""

    __tablename__ = "location_copy"

    name: Mapped[str]
    archived: Mapped[bool]
    version: Mapped[int]
