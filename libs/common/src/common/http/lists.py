"""Lists are alike everywhere: ``limit``, ``cursor``, ``sort``, and ``{"items": […], "next_cursor": …}``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from common.errors import InvalidError
from common.http.schemas import QuerySchema, StrictSchema

MAX_LIMIT = 200


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

    Raises InvalidError for an unknown sort or a cursor of another list.
    """
    sort = query.get("sort") or default_sort
    column, descending = _sort_column(sort, {"id": key, **(sorts or {})})
    columns = [column] if column is key else [column, key]
    if query.get("cursor"):
        position = tuple_(*columns)
        values = tuple_(*_read_cursor(query["cursor"], sort, columns))
        statement = statement.where(position < values if descending else position > values)
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
    kind = column.type.python_type
    return msgspec.convert(value, kind, strict=False) if kind in (UUID, datetime) or value is None else kind(value)
