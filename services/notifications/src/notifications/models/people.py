"""Copies of who and where: members, companies, locations. Their ids are the originals'."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from notifications.models.metadata import Base


class MemberCopy(TenantMixin, Base):
    """How to address a member; ``billing_email`` and ``billing_language`` where bills go elsewhere."""

    __tablename__ = "member_copy"

    name: Mapped[str]
    email: Mapped[str | None]
    company_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default="active")
    language: Mapped[str | None]
    billing_email: Mapped[str | None]
    billing_language: Mapped[str | None]
    version: Mapped[int] = mapped_column(BigInteger)


class CompanyCopy(TenantMixin, Base):
    """How to address a company."""

    __tablename__ = "company_copy"

    name: Mapped[str]
    email: Mapped[str | None]
    location_id: Mapped[UUID | None]
    language: Mapped[str | None]
    billing_email: Mapped[str | None]
    billing_language: Mapped[str | None]
    version: Mapped[int] = mapped_column(BigInteger)


class LocationCopy(TenantMixin, Base):
    """What a location is called and where it stands, for calendars."""

    __tablename__ = "location_copy"

    name: Mapped[str]
    timezone: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)
