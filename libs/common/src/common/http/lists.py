"""Lists are alike everywhere: ``limit``, ``cursor``, ``sort``, and ``{"items": […], "next_cursor": …}``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import ColumnElement, Select, and_, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from common.errors import InvalidError
from common.http.schemas import QuerySchema, StrictSchema

MAX_LIMIT = 200
# What a cursor holds as text.
_WRITTEN_OUT = (UUID, datetime, date, Decimal)


class ListQuery(QuerySchema):
    """Query parameters of every list; extend it with filters named like the fields."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    sort = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))


def page_schema(item: type[Schema]) -> type[Schema]:
    """The answer schema of a list of ``item``."""
    name = item.__name__.removesuffix("Schema") + "Page"
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item)),
        "next_cursor": fields.String(allow_none=True),
    }
    return type(name, (StrictSchema,), members)


def page(
    session: Session,
    statement: Select[Any],
    query: Mapping[str, Any],
    *,
    key: InstrumentedAttribute[UUID],
    sorts: Mapping[str, InstrumentedAttribute[Any]] | None = None,
    default_sort: str = "-id",
) -> dict[str, Any]:
    """One page of a statement's rows by keyset; ``sorts`` maps public names to columns, ``-name`` is descending.

    Rows without a value stand where PostgreSQL puts them: last, and first when descending. Raises InvalidError for an
    unknown sort or a cursor of another list.
    """
    sort = query.get("sort") or default_sort
    column, descending = _sort_column(sort, {"id": key, **(sorts or {})})
    columns = [column] if column is key else [column, key]
    if query.get("cursor"):
        statement = statement.where(_behind(columns, _read_cursor(query["cursor"], sort, columns), descending))
    order = [c.desc() if descending else c.asc() for c in columns]
    rows = session.scalars(statement.order_by(*order).limit(query["limit"] + 1)).all()
    items = rows[: query["limit"]]
    more = len(rows) > len(items)
    return {"items": items, "next_cursor": _cursor(items[-1], sort, columns) if more else None}


def _sort_column(sort: str, sorts: Mapping[str, InstrumentedAttribute[Any]]) -> tuple[InstrumentedAttribute[Any], bool]:
    name = sort.removeprefix("-")
    if name not in sorts:
        raise InvalidError("unknown_sort", f"sort must be one of {', '.join(sorted(sorts))}, with - for descending")
    return sorts[name], sort.startswith("-")


def _behind(
    columns: Sequence[InstrumentedAttribute[Any]], values: Sequence[Any], descending: bool
) -> ColumnElement[bool]:
    """Which rows come after the one with these values."""
    column, key = columns[0], columns[-1]
    if values[0] is None:
        rest = and_(column.is_(None), key < values[-1] if descending else key > values[-1])
        return or_(rest, column.is_not(None)) if descending else rest
    position, last = tuple_(*columns), tuple_(*values)
    rest = position < last if descending else position > last
    return or_(rest, column.is_(None)) if _is_optional(column) and not descending else rest


def _is_optional(column: InstrumentedAttribute[Any]) -> bool:
    return any(part.nullable for part in column.property.columns)


def _cursor(row: Any, sort: str, columns: Sequence[InstrumentedAttribute[Any]]) -> str:
    values = [sort, *(getattr(row, column.key) for column in columns)]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _read_cursor(cursor: str, sort: str, columns: Sequence[InstrumentedAttribute[Any]]) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        made_for, *values = msgspec.json.decode(raw, type=list[Any])
        if made_for != sort or len(values) != len(columns):
            raise ValidationError("the cursor belongs to another list")
        return [_typed(column, value) for column, value in zip(columns, values, strict=True)]
    except (ValueError, TypeError, binascii.Error, msgspec.MsgspecError, ValidationError) as error:
        raise InvalidError("invalid_cursor", "this cursor was not made by this list") from error


def _typed(column: InstrumentedAttribute[Any], value: Any) -> Any:
    """A value of the cursor as the column has it. Raises ValidationError for what no row of the list can have."""
    if value is None and _is_optional(column):
        return None
    kind = column.type.python_type
    typed = msgspec.convert(value, kind, strict=False) if kind in _WRITTEN_OUT or value is None else kind(value)
    if isinstance(typed, str) and "\x00" in typed:
        raise msgspec.ValidationError("no text in PostgreSQL has a NUL character")
    return typed
