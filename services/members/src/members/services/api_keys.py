"""API keys: made, shown once, listed by their hint, revoked."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from common import audit
from common.auth import Principal
from common.db import TenantSession
from common.errors import InvalidError, NotFoundError
from common.ids import encode_id, new_id
from members.config import MembersSettings
from members.models import ApiKey
from members.services.locations import check_locations
from members.services.rights import check_grant
from members.services.secrecy import keyed_digest, token_hash

_PREFIX = "dk_"
# As long as any idempotency key is kept (API.md, conventions); then nothing shows the key again.
_SHOWN_AGAIN_FOR = timedelta(hours=24)


def create_api_key(
    session: TenantSession,
    settings: MembersSettings,
    *,
    creator: Principal,
    request_digest: bytes | None = None,
    **values: Any,
) -> tuple[ApiKey, str, bool]:
    """Make a key; returns its row, the key itself, which is not stored, and whether it had been made before.

    With the digest of a request that was answered within a day, its key is returned again: a key is derived from its
    id, so that a lost answer can be repeated. Raises ForbiddenError for a key with more rights than its maker's.
    """
    check_grant(creator, values["role"], values.get("location_ids"))
    if request_digest is not None:
        earlier = _made_earlier(session, request_digest)
        if earlier is not None:
            _refuse_other_body(earlier, values)
            return earlier, _key_of(settings, earlier.id), True
    if values.get("expires_at") is not None and values["expires_at"] <= session.clock.now():
        raise InvalidError("already_expired", "expires_at must be in the future")
    check_locations(session, values.get("location_ids") or (), "/location_ids")
    key_id = new_id()
    key = _key_of(settings, key_id)
    row = ApiKey(
        **values,
        id=key_id,
        hint=key[:10],
        key_hash=token_hash(key),
        request_digest=request_digest,
        created_by=creator.subject,
        created_at=session.clock.now(),
    )
    session.add(row)
    session.flush()
    audit.record(session, "api_key.created", encode_id("key", row.id), {"name": row.name, "role": row.role})
    return row, key, False


def _made_earlier(session: TenantSession, request_digest: bytes) -> ApiKey | None:
    """The key that a request made, while it may be repeated; the request is held until the end of the transaction."""
    session.execute(select(_lock(request_digest)))
    earlier = session.scalars(select(ApiKey).where(ApiKey.request_digest == request_digest)).one_or_none()
    if earlier is not None and earlier.created_at <= session.clock.now() - _SHOWN_AGAIN_FOR:
        earlier.request_digest = None
        session.flush()
        return None
    return earlier


def _key_of(settings: MembersSettings, key_id: UUID) -> str:
    digest = keyed_digest(settings.secret, "api keys", key_id.bytes)
    return _PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refuse_other_body(earlier: ApiKey, values: dict[str, Any]) -> None:
    asked = {"location_ids": None, "expires_at": None, **values}
    if any(getattr(earlier, name) != value for name, value in asked.items()):
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")


def _lock(request_digest: bytes) -> Any:
    return func.pg_advisory_xact_lock(int.from_bytes(request_digest[:8], "big", signed=True))


def find_api_key(session: TenantSession, key_id: UUID, *, lock: bool = False) -> ApiKey:
    """A key by id. Raises NotFoundError."""
    statement = select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFoundError("api_key_not_found", "there is no such API key")
    return row


def revoke_api_key(session: TenantSession, row: ApiKey, principal: Principal) -> None:
    """End a key; tokens that it was exchanged for run out by themselves. Raises ForbiddenError as for making one."""
    check_grant(principal, row.role, row.location_ids)
    row.revoked_at = session.clock.now()
    row.touch()
    audit.record(session, "api_key.revoked", encode_id("key", row.id), {"name": row.name})
