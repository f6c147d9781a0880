"""Is a database's schema fit for this program? Asked by ``/readyz`` and by the doctor."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from common.db.database import Database


def schema_check(migrations: Path) -> Callable[[Connection], bool]:
    """A question to ask a connection: are all of this program's migrations done?

    A revision that this program does not know is a newer program's, and fits: migrations only ever add what the
    program before can live with (expand, migrate, contract).
    """

    def fits(connection: Connection) -> bool:
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        head, known = _revisions(migrations)
        return current is not None and (current == head or current not in known)

    return fits


def database_fault(database: Database, migrations: Path) -> str | None:
    """What keeps a service from working with its database, in plain words; None when all is well."""
    try:
        with database.engine.connect() as connection:
            fits = schema_check(migrations)(connection)
    except SQLAlchemyError:
        return "the database cannot be reached or is not migrated"
    return None if fits else "the database lacks the newest migrations: run 'migrate'"


@lru_cache(maxsize=32)
def _revisions(migrations: Path) -> tuple[str | None, frozenset[str]]:
    script = ScriptDirectory(str(migrations))
    return script.get_current_head(), frozenset(revision.revision for revision in script.walk_revisions())
