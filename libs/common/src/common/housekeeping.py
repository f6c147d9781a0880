"""What grows is cut back once an hour: old messages, idempotency keys past their 24 hours."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from sqlalchemy import delete

from common.db import Database
from common.db.plumbing import idempotency_table
from common.messaging import purge

logger = structlog.get_logger(__name__)
_PAUSE_SECONDS = 3600.0


class Housekeeping:
    """The loop of a worker that deletes what nobody needs any more."""

    def __init__(self, database: Database, service: str) -> None:
        self._database, self._service = database, service

    def run(self, stop: threading.Event) -> None:
        """Clean up every hour until ``stop``; a failure waits for the next hour."""
        while not stop.wait(_PAUSE_SECONDS):
            try:
                purge(self._database)
                forget_old_keys(self._database)
            except Exception:
                logger.exception("housekeeping_failed", service=self._service)


def forget_old_keys(database: Database) -> int:
    """Delete idempotency keys older than 24 hours; returns how many."""
    table = idempotency_table
    with database.system_session() as session:
        before = database.clock.now() - timedelta(hours=24)
        gone = session.execute(delete(table).where(table.c.created_at < before).returning(table.c.key)).all()
        session.commit()
    return len(gone)
