"""New rows of mapped classes, written past the unit of work: for what is made in every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm.attributes import manager_of_class

from common.db.collected import Collected
from common.db.database import TenantSession, stamp
from common.db.mapping import TenantMixin
from common.db.statements import Statement

R = TypeVar("R", bound=TenantMixin)


def new_row(kind: type[R], **values: Any) -> R:
    """A new row, as ``kind(**values)``, with its defaults already: many values at once instead of one after the other.

    For rows that are no part of a session yet, of classes without relationships.
    """
    mapped: Any = kind
    blank, defaults = _blank(mapped)
    row: R = manager_of_class(mapped).new_instance()
    state = vars(row)
    state |= blank
    for key, default in defaults:
        if key not in values:
            state[key] = default()
    state |= values
    return row


@cache
def _blank(kind: Any) -> tuple[dict[str, None], list[tuple[str, Callable[[], Any]]]]:
    """The attributes that are null unless told, and those with defaults."""
    columns = {attribute.key: attribute.columns[0] for attribute in inspect(kind).column_attrs}
    defaults = [(key, default) for key, column in columns.items() if (default := _default(column)) is not None]
    # The ORM takes None in a document for JSON's null.
    documents = {key for key, column in columns.items() if isinstance(column.type, JSONB)}
    return dict.fromkeys(columns.keys() - dict(defaults).keys() - documents), defaults


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
    documents = [place for place, column in enumerate(columns) if isinstance(column.type, JSONB)]

    def write(values: dict[str, Any]) -> list[Any]:
        for key, default in fill:
            if key not in values:
                values[key] = default()
        written = list(map(values.get, keys))
        for place in documents:
            written[place] = _text(written[place])
        return written

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
