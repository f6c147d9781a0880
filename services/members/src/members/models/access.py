"""How people get in: signing keys, sign-ins with their refresh tokens, links, API keys, failed attempts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin, VersionMixin
from members.models.metadata import Base


class TokenKey(Base):
    """A key pair that signs access tokens from ``use_from`` on. Of no organisation; the private half is encrypted."""

    __tablename__ = "token_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    private_key: Mapped[bytes]
    public_key: Mapped[str]
    created_at: Mapped[datetime]
    use_from: Mapped[datetime]
    not_after: Mapped[datetime | None]


class SignIn(TenantMixin, Base):
    """One signed-in device: a family of refresh tokens that is revoked as a whole."""

    __tablename__ = "sign_in"

    subject: Mapped[str] = mapped_column(index=True)
    address: Mapped[str | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class RefreshToken(TenantMixin, Base):
    """One refresh token, known by its hash and good for one use."""

    __tablename__ = "refresh_token"

    sign_in_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class EntryToken(TenantMixin, Base):
    """A secret sent by mail that opens the door once: a sign-in link or an invitation."""

    __tablename__ = "entry_token"
    __table_args__ = (CheckConstraint("kind IN ('link', 'invitation')", name="kind"),)

    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(TenantMixin, VersionMixin, Base):
    """A key for programs, bound to a role. ``hint`` shows how it begins; the key itself is kept as a hash only."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("role IN ('owner', 'admin', 'front_desk', 'accountant')", name="role"),)

    name: Mapped[str]
    role: Mapped[str]
    location_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    hint: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    request_digest: Mapped[bytes | None] = mapped_column(unique=True)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInAttempts(Base):
    """Sign-ins tried in a window of time, per account and per address; counted before the password is looked at."""

    __tablename__ = "sign_in_attempts"

    scope: Mapped[str] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
