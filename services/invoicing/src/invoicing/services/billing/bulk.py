"""Many rows in one statement: inserts and updates from one JSON text, typed by the table itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Table, Uuid, any_, literal

from common.db import TenantSession


def insert_rows(session: TenantSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same keys (column names). Bytes are given as ``\\x…`` hex texts."""
    if rows:
        _run(session, _insert_statement(table, tuple(rows[0])), rows)


def update_rows(session: TenantSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Set the other keys of each row on the row of its ``id``; all rows have the same keys."""
    if rows:
        _run(session, _update_statement(table, tuple(rows[0])), rows)


def one_of(column: ColumnElement[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    """``column = ANY (ids)``: one parameter, so that the statement is the same text for any number of ids."""
    return column == any_(literal(list(ids), ARRAY(Uuid)))


def _run(session: TenantSession, statement: str, rows: Sequence[dict[str, Any]]) -> None:
    session.connection().exec_driver_sql(statement, (msgspec.json.encode(rows).decode(),))


@lru_cache(maxsize=64)
def _insert_statement(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {_records(table, columns)}"  # noqa: S608 - our own names


@lru_cache(maxsize=64)
def _update_statement(table: Table, columns: tuple[str, ...]) -> str:
    sets = ", ".join(f'"{name}" = r."{name}"' for name in columns if name != "id")
    return f"UPDATE {table.name} SET {sets} FROM {_records(table, columns)} WHERE {table.name}.id = r.id"  # noqa: S608 - our own names


def _records(table: Table, columns: tuple[str, ...]) -> str:
    types = ", ".join(f'"{name}" {_type(table, name)}' for name in columns)
    return f"jsonb_to_recordset(%s::jsonb) AS r({types})"


def _type(table: Table, name: str) -> str:
    from sqlalchemy.dialects import postgresql

    return str(table.c[name].type.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
