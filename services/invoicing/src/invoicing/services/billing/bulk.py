"""Many rows at once: thousands by COPY into a temporary table and one INSERT, a handful from one JSON text.

COPY does not write to tables under row-level security; the INSERT from the temporary table obeys it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, ColumnElement, LargeBinary, String, Table, Uuid, cast, func, literal, select

from common.db import TenantSession
from common.db.copying import copy_rows

# Below this the temporary table costs more than it saves.
_COPIED_FROM = 50
# Where a session notes the temporary tables that may hold rows of its transaction.
_USED = "bulk.staged"


def insert_rows(session: TenantSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same keys (column names) in the same order."""
    stage_rows(session, table, rows).insert(session)


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows on their way into a table; if there are many, PostgreSQL has them already. Of a table only the rows staged
    last can be inserted."""

    table: Table
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]] | None

    def insert(self, session: TenantSession) -> None:
        """Insert them, in the transaction that staged them."""
        if self.rows is None:
            names, staged = _names(self.columns), _staged(self.table)
            connection = session.connection()
            connection.exec_driver_sql(f"INSERT INTO {self.table.name} ({names}) SELECT {names} FROM {staged}")  # noqa: S608 - our own names
        elif self.rows:
            _run(session, _insert_statement(self.table, self.columns), self.rows)


def stage_rows(session: TenantSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> Staged:
    """Hand rows for a later `Staged.insert` to PostgreSQL, all with the same keys (column names) in the same order."""
    columns = tuple(rows[0]) if rows else ()
    if len(rows) < _COPIED_FROM:
        return Staged(table, columns, rows)
    _copy(session, table, columns, rows)
    return Staged(table, columns, None)


def update_rows(
    session: TenantSession, table: Table, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any] | None = None
) -> None:
    """Set the other keys of each row on the row of its ``id``, and the values of ``same`` on all of them.

    All rows have the same keys. An ``id`` that is not there is passed over.
    """
    if rows:
        same = same or {}
        _run(session, _update_statement(table, tuple(rows[0]), tuple(same)), rows, *same.values())


def one_of(column: ColumnElement[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    """``column IN (ids)``: one parameter, so that the statement is the same text for any number of ids.

    As a text, for the driver would look at each element of a list; and unnested, for PostgreSQL would read the text
    and go through all ids again for each row that it looks at, where it does not go by an index (small tables).
    """
    text = literal("{" + ",".join(map(str, ids)) + "}", String)
    return column.in_(select(func.unnest(cast(text, ARRAY(Uuid))).column_valued("wanted")))


def _run(session: TenantSession, statement: str, rows: Sequence[Mapping[str, Any]], *values: Any) -> None:
    session.connection().exec_driver_sql(statement, (*values, msgspec.json.encode(rows).decode()))


def _copy(session: TenantSession, table: Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    staged, connection, used = _staged(table), session.connection(), session.info.setdefault(_USED, set())
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE IF NOT EXISTS {staged} (LIKE {table.name} INCLUDING DEFAULTS INCLUDING COMPRESSION)"
        " ON COMMIT DELETE ROWS"
    )
    if staged in used:
        connection.exec_driver_sql(f"TRUNCATE {staged}")
    used.add(staged)
    copy_rows(connection, table, columns, [tuple(row.values()) for row in rows], into=staged)


def _staged(table: Table) -> str:
    return f"staged_{table.name}"


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@lru_cache(maxsize=64)
def _insert_statement(table: Table, columns: tuple[str, ...]) -> str:
    values = ", ".join(_value(table, name) for name in columns)
    return f"INSERT INTO {table.name} ({_names(columns)}) SELECT {values} FROM {_records(table, columns)}"  # noqa: S608 - our own names


@lru_cache(maxsize=64)
def _update_statement(table: Table, columns: tuple[str, ...], same: tuple[str, ...]) -> str:
    sets = [f'"{name}" = %s' for name in same] + [f'"{name}" = r."{name}"' for name in columns if name != "id"]
    return f"UPDATE {table.name} SET {', '.join(sets)} FROM {_records(table, columns)} WHERE {table.name}.id = r.id"  # noqa: S608 - our own names


def _records(table: Table, columns: tuple[str, ...]) -> str:
    types = ", ".join(f'"{name}" {_type(table, name)}' for name in columns)
    return f"json_to_recordset(%s::json) AS r({types})"


def _value(table: Table, name: str) -> str:
    # JSON carries bytes as base64.
    return f"decode(\"{name}\", 'base64')" if isinstance(table.c[name].type, LargeBinary) else f'"{name}"'


def _type(table: Table, name: str) -> str:
    from sqlalchemy.dialects import postgresql

    if isinstance(table.c[name].type, LargeBinary):
        return "text"
    return str(table.c[name].type.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
