"""Is a database's schema fit for this program? Asked by ``/readyz`` and by the doctor."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text


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


@lru_cache(maxsize=32)
def _revisions(migrations: Path) -> tuple[str | None, frozenset[str]]:
    script = ScriptDirectory(str(migrations))
    return script.get_current_head(), frozenset(revision.revision for revision in script.walk_revisions())
