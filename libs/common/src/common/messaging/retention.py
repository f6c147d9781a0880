"""Cleaning up: what was published and handled long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.schema import Table

from common.db.database import Database
from common.db.plumbing import dead_letter_table, inbox_table, outbox_table

# The inbox remembers longer than any outbox, or a resend could repeat an effect.
_INBOX_LONGER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    outbox: int
    inbox: int
    dead_letters: int


def purge(database: Database, *, days: int = 30) -> Purged:
    """Delete outbox rows published, and dead letters closed, more than ``days`` days ago, and inbox rows a week later.

    Unpublished rows and open dead letters stay for ever, and so does the newest state of every aggregate (messages
    called ``…-changed``): a new service's copies are built from them with a resend.
    """
    until = database.clock.now() - timedelta(days=days)
    letters = dead_letter_table.c
    return Purged(
        outbox=_delete(database, outbox_table, (outbox_table.c.published_at < until) & _outdated()),
        inbox=_delete(database, inbox_table, inbox_table.c.handled_at < until - _INBOX_LONGER),
        dead_letters=_delete(database, dead_letter_table, or_(letters.replayed_at < until, letters.dropped_at < until)),
    )


def _outdated() -> ColumnElement[bool]:
    row, newer = outbox_table, outbox_table.alias("newer")
    has_newer = exists().where(
        newer.c.aggregate_id == row.c.aggregate_id, newer.c.type == row.c.type, newer.c.seq > row.c.seq
    )
    return or_(row.c.type.not_like("%-changed"), has_newer)


def _delete(database: Database, table: Table, condition: ColumnElement[bool], portion: int = 5000) -> int:
    """Delete in portions, each in a transaction of its own, so that no lock is held for long."""
    keys = tuple(table.primary_key.columns)
    doomed = select(*keys).where(condition).limit(portion)
    total, gone = 0, portion
    while gone == portion:
        with database.system_session() as session:
            result = session.execute(delete(table).where(tuple_(*keys).in_(doomed)).returning(keys[0]))
            gone = len(result.all())
            session.commit()
        total += gone
    return total
