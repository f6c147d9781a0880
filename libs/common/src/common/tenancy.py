"""A service's copies of organisations, their clocks, and the keys that sign their access tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import Database, TenantSession
from common.db.plumbing import organization_table, signing_key_table
from common.jobs import wake_scheduler

# How long a service may go on believing in a key that has been revoked.
_REFRESH_SECONDS = 30.0


def store_organization(session: TenantSession, values: Mapping[str, Any]) -> None:
    """Keep the newest state of an organisation; an older version changes nothing. The clock never goes back."""
    table = organization_table
    statement = insert(table).values(**values)
    new = statement.excluded
    clock = {"clock_now", "clock_version"}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={name: new[name] for name in values if name not in clock | {"id"}},
            where=table.c.version < new.version,
        )
    )
    store_clock(session, values["id"], values.get("clock_now"), values.get("clock_version", 0))


def store_clock(session: TenantSession, organization_id: UUID, now: datetime | None, clock_version: int) -> None:
    """Keep the newest reading of an organisation's clock and wake the scheduler; an older one changes nothing."""
    table = organization_table
    session.execute(
        table.update()
        .where(table.c.id == organization_id, table.c.clock_version < clock_version)
        .values(clock_now=now, clock_version=clock_version)
    )
    session.forget_organization()
    wake_scheduler(session)


def store_signing_keys(session: TenantSession, keys: Iterable[Mapping[str, Any]]) -> None:
    """Keep public keys; the known ones get their new end."""
    for key in keys:
        statement = insert(signing_key_table).values(**key)
        session.execute(
            statement.on_conflict_do_update(index_elements=["kid"], set_={"not_after": statement.excluded.not_after})
        )


class SigningKeys:
    """Public keys by ``kid`` from the service's own table, kept in memory.

    They are read again for an unknown ``kid``, and now and then, so that the end of a revoked key is noticed.
    """

    def __init__(self, database: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database, self._monotonic = database, monotonic
        self._known: dict[str, tuple[str, datetime | None]] = {}
        self._read_at = 0.0

    def __call__(self, kid: str) -> str | None:
        """The PEM of a key that is still valid; None when there is none."""
        if kid not in self._known or self._monotonic() - self._read_at > _REFRESH_SECONDS:
            self.reload()
        pem, not_after = self._known.get(kid, (None, None))
        if not_after is not None and not_after <= self._database.clock.now():
            return None
        return pem

    def reload(self) -> bool:
        """Read all keys again; tells whether there is any."""
        self._read_at = self._monotonic()
        with self._database.system_session() as session:
            rows = session.execute(select(signing_key_table)).all()
        self._known = {row.kid: (row.public_key, row.not_after) for row in rows}
        return bool(self._known)
