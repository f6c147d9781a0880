"""New rows of mapped classes, written past the unit of work: for what is made in every request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import make_transient_to_detached

from common.db.database import TenantSession, stamp
from common.db.mapping import TenantMixin
from common.db.statements import run


def insert_rows(session: TenantSession, rows: Sequence[TenantMixin]) -> None:
    """Insert new rows of one class; they belong to the session from then on, as after a flush.

    For classes without relationships and without values that the database itself fills in.
    """
    kind: Any = type(rows[0])
    statement, keys, write = _insertion(kind)
    for row in rows:
        stamp(session, row)
    values = [write(vars(row)) for row in rows]
    for each in values:
        run(session, statement, each)
    for row in rows:
        for key in keys:
            vars(row).setdefault(key, None)
        make_transient_to_detached(row)
        session.add(row)


@cache
def _insertion(kind: Any) -> tuple[str, tuple[str, ...], Callable[[dict[str, Any]], list[Any]]]:
    """The statement of a class, its attributes, and what turns their values into the statement's parameters."""
    mapper = inspect(kind)
    keys = tuple(attribute.key for attribute in mapper.column_attrs)
    columns: list[Column[Any]] = [mapper.column_attrs[key].columns[0] for key in keys]
    fill = [(column.key, default) for column in columns if (default := _default(column)) is not None]
    documents = frozenset(column.key for column in columns if isinstance(column.type, JSONB))

    def write(values: dict[str, Any]) -> list[Any]:
        for key, default in fill:
            if key not in values:
                values[key] = default()
        return [_text(values.get(key)) if key in documents else values.get(key) for key in keys]

    names = ", ".join(column.name for column in columns)
    marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {mapper.local_table.name} ({names}) VALUES ({marks})", keys, write  # noqa: S608 - constants


def _text(document: Any) -> str | None:
    return None if document is None else msgspec.json.encode(document).decode()


def _default(column: Column[Any]) -> Callable[[], Any] | None:
    """What gives a column its value when the program did not."""
    default: Any = column.default
    if default is None:
        return None
    if default.is_callable:
        return lambda: default.arg(None)
    return lambda: default.arg
