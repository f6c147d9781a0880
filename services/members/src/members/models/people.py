"""Who is who: staff users, members and the companies they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from common.ids import encode_id
from members.models.metadata import Base


class SignsIn:
    """Somebody with an e-mail address who may have a password."""

    id_prefix: ClassVar[str]

    password_hash: Mapped[str | None]
    last_sign_in_at: Mapped[datetime | None]

    @property
    def subject(self) -> str:
        """How tokens and the audit log name this person: the public id."""
        return encode_id(self.id_prefix, self.id)  # type: ignore[attr-defined]


class StaffUser(TenantMixin, VersionMixin, SignsIn, Base):
    """Somebody who works for the operator. ``location_ids`` None: at every location."""

    __tablename__ = "staff_user"
    id_prefix = "usr"

    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[str]
    location_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    language: Mapped[str | None]
    status: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'front_desk', 'accountant')", name="role"),
        CheckConstraint("status IN ('invited', 'active', 'deactivated')", name="status"),
    )


Index(
    "uq_staff_user_email",
    StaffUser.organization_id,
    func.lower(StaffUser.email),
    unique=True,
    postgresql_where=text("status <> 'deactivated'"),
)


class Customer(TenantMixin, VersionMixin):
    """What members and companies have in common: how they are billed. ``billing_day`` 1 to 31 overrides BIL-1."""

    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    location_id: Mapped[UUID | None]
    billing: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    billing_day: Mapped[int | None] = mapped_column(SmallInteger)
    auto_collect: Mapped[bool] = mapped_column(default=True)
    reminders: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]


class Company(Customer, Base):
    """A firm whose people use the space; it pays for them unless an item is personal (BIL-5)."""

    __tablename__ = "company"
    id_prefix = "com"

    __table_args__ = (
        CheckConstraint("status IN ('active', 'archived')", name="status"),
        CheckConstraint("billing_day BETWEEN 1 AND 31", name="billing_day"),
    )


class Member(Customer, SignsIn, Base):
    """Somebody who uses the space."""

    __tablename__ = "member"
    id_prefix = "mem"

    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("company.id"), index=True)
    is_billing_person: Mapped[bool] = mapped_column(default=False)
    is_contact_person: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        CheckConstraint("status IN ('active', 'archived', 'erased')", name="status"),
        CheckConstraint("billing_day BETWEEN 1 AND 31", name="billing_day"),
    )


Index(
    "uq_member_email",
    Member.organization_id,
    func.lower(Member.email),
    unique=True,
    postgresql_where=text("status = 'active'"),
)
