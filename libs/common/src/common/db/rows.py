"""New rows of mapped classes, written past the unit of work: for what is made in every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, inspect
from sqlalchemy.dialects.postgresql import JSONB

from common.db.collected import Collected
from common.db.database import TenantSession, stamp
from common.db.mapping import TenantMixin
from common.db.statements import Statement


def insert_last(session: TenantSession, row: TenantMixin) -> None:
    """Insert a new row, as it is now, with the commit; it is stamped with the organisation, and no part of the session.

    Until the commit no statement of the transaction finds it, and nothing may refer to it. For classes without
    relationships and without values that the database itself fills in.
    """
    kind: Any = type(row)
    statement, write = _insertion(kind)
    stamp(session, row)
    _LAST.add(session, (statement, write(vars(row))))


_LAST: Collected[Statement] = Collected(lambda statements: statements)


@cache
def _insertion(kind: Any) -> tuple[str, Callable[[dict[str, Any]], list[Any]]]:
    """The statement of a class, and what turns its attributes' values into the statement's parameters."""
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
    return f"INSERT INTO {mapper.local_table.name} ({names}) VALUES ({marks})", write  # noqa: S608 - constants


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
