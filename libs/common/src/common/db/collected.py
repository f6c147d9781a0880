"""Rows that a transaction writes last, right before its commit: those of many use cases in one place, at one time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from common.db.database import TenantSession
from common.db.statements import Statement, write_last

R = TypeVar("R")
_PENDING = "collected.pending"
_WRITTEN = "collected.written"
_SAVEPOINTS = "collected.savepoints"


class Collected(Generic[R]):
    """Rows of one kind, written after the last flush, with the commit, by the statements that ``write`` makes of them.

    From ``bulk_from`` rows on ``write_bulk`` does it instead. What is rolled back, as a whole or to a savepoint, is
    forgotten. ``ring`` is a channel on which listeners are notified after the commit.
    """

    kinds: ClassVar[list[Collected[Any]]] = []

    def __init__(
        self,
        write: Callable[[Sequence[R]], Sequence[Statement]],
        *,
        bulk_from: float = math.inf,
        write_bulk: Callable[[Connection, Sequence[R]], None] | None = None,
        ring: str | None = None,
    ) -> None:
        self._write, self._bulk_from, self._write_bulk, self.ring = write, bulk_from, write_bulk, ring
        Collected.kinds.append(self)

    def add(self, session: TenantSession, *rows: R) -> None:
        """Collect rows for the session's running transaction, or for its next one."""
        _rows(session, _PENDING).extend((self, row) for row in rows)
        # An untouched session would commit nothing at all: begin, so that the commit comes past here.
        if not session.in_transaction():
            session.begin()

    def pending(self, session: Session) -> list[R]:
        """The rows of the running transaction so far."""
        return [row for kind, row in _rows(session, _PENDING) if kind is self]

    def written(self, session: Session) -> list[R]:
        """The rows that the commit under way has written: for listeners of ``after_commit``."""
        return [row for kind, row in _rows(session, _WRITTEN) if kind is self]

    def statements(self, session: Session, rows: Sequence[R]) -> Sequence[Statement]:
        """What writes the rows; a bulk is written at once, and nothing is left."""
        if self._write_bulk is not None and len(rows) >= self._bulk_from:
            self._write_bulk(session.connection(), rows)
            return ()
        return self._write(rows)


def _rows(session: Session, key: str) -> list[tuple[Collected[Any], Any]]:
    rows: list[tuple[Collected[Any], Any]] = session.info.setdefault(key, [])
    return rows


@event.listens_for(TenantSession, "before_commit")
def _write(session: Session) -> None:
    # A savepoint's release comes here too, but may still be rolled back with what surrounds it.
    if session.in_nested_transaction():
        return
    session.flush()
    pending = _rows(session, _PENDING)
    by_kind = {kind: [row for owner, row in pending if owner is kind] for kind in Collected.kinds}
    for kind, rows in by_kind.items():
        if rows:
            write_last(session, kind.statements(session, rows), kind.ring)
    session.info[_WRITTEN], session.info[_PENDING] = pending, []


@event.listens_for(TenantSession, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_SAVEPOINTS, {})[transaction] = len(_rows(session, _PENDING))


@event.listens_for(TenantSession, "after_soft_rollback")
def _forget_rolled_back(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        del _rows(session, _PENDING)[session.info.get(_SAVEPOINTS, {}).get(transaction, 0) :]


@event.listens_for(TenantSession, "after_transaction_end")
def _forget_ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for key in (_PENDING, _WRITTEN, _SAVEPOINTS):
            session.info.pop(key, None)
