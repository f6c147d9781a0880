"""Keys of requests that the gateway itself answers: it has no database, so members remembers what came with them."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from common.clock import SystemClock
from common.db import TenantSession
from common.db.plumbing import idempotency_table
from common.errors import InvalidError

_SCOPE = "gateway"


def claim_key(session: TenantSession, key: str, fingerprint: str) -> bool:
    """Whether this is the first request with the key (API.md, conventions); ``key`` names caller and route as well.

    Raises InvalidError ``idempotency_key_reused`` when it came with another body before.
    """
    table, now = idempotency_table, SystemClock().now()
    values = {"scope": _SCOPE, "key": key, "fingerprint": fingerprint, "created_at": now}
    inserted = insert(table).values(values).on_conflict_do_nothing().returning(table.c.key)
    if session.execute(inserted).first() is not None:
        return True
    known = session.scalar(select(table.c.fingerprint).where(table.c.scope == _SCOPE, table.c.key == key))
    if known != fingerprint:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    return False


def release_key(session: TenantSession, key: str) -> None:
    """Forget a key whose request was refused: it changed nothing, and the key may be used again."""
    table = idempotency_table
    session.execute(delete(table).where(table.c.scope == _SCOPE, table.c.key == key))
