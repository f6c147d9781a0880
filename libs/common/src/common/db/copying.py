"""Rows by COPY in its binary format, which spares PostgreSQL the reading of texts (bytes above all).

The columns are written one after the other: most have values of one kind, many just one value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.numeric import DecimalBinaryDumper
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Uuid,
)
from sqlalchemy import types as sql
from sqlalchemy.dialects.postgresql import JSONB

from common.db.statements import driver_of, translated
from common.telemetry.spans import statement_span

Writer = Callable[[Any], bytes]

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_FIRST_DAY, _FIRST_INSTANT = date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)
_UUID_OID = 2950

_count, _length, _int4, _int8 = (struct.Struct(form).pack for form in (">h", ">i", ">ii", ">iq"))
_array = struct.Struct(">iiiiii").pack


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, into: str = ""
) -> None:
    """Write rows (values in the order of ``columns``) into a table, or into another one, ``into``, of its shape.

    PostgreSQL refuses it for tables under row-level security. Raises SQLAlchemy's exceptions, and ValueError for a
    number beyond its column.
    """
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f"COPY {into or table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    data = copy_data(table, columns, rows)
    with (
        translated(connection, statement),
        statement_span(statement),
        driver_of(connection).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(data)


def copy_data(table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows in the binary format of COPY. Raises ValueError for a number beyond its column."""
    by_column = zip(*rows, strict=True)
    try:
        fields = [_fields(_writer(table.c[name].type), values) for name, values in zip(columns, by_column, strict=True)]
    except struct.error as error:
        raise ValueError("a number is beyond its column") from error
    lines = zip(repeat(_count(len(columns)), len(rows)), *fields, strict=True)
    return b"".join(chain((_HEADER,), chain.from_iterable(lines), (_END,)))


def _fields(write: Writer, values: tuple[Any, ...]) -> Sequence[bytes]:
    first = values[0]
    if first == values[-1] and values.count(first) == len(values):
        return [_NULL if first is None else write(first)] * len(values)
    return [_NULL if value is None else write(value) for value in values]


def _uuid(value: UUID) -> bytes:
    return b"\x00\x00\x00\x10" + value.bytes


@lru_cache(maxsize=1024)
def _text(value: str) -> bytes:
    return _bytes(value.encode())


def _bytes(value: bytes) -> bytes:
    return _length(len(value)) + value


def _json(value: Any) -> bytes:
    text = msgspec.json.encode(value)
    return _length(len(text) + 1) + b"\x01" + text  # version 1 of the format


def _boolean(value: bool) -> bytes:
    return b"\x00\x00\x00\x01\x01" if value else b"\x00\x00\x00\x01\x00"


@lru_cache(maxsize=1024)
def _integer(value: int) -> bytes:
    return _int4(4, value)


@lru_cache(maxsize=4096)
def _big_integer(value: int) -> bytes:
    return _int8(8, value)


@lru_cache(maxsize=1024)
def _date(value: date) -> bytes:
    return _int4(4, (value - _FIRST_DAY).days)


@lru_cache(maxsize=1024)
def _instant(value: datetime) -> bytes:
    since = value - _FIRST_INSTANT
    return _int8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


@lru_cache(maxsize=4096)
def _decimal(value: Decimal) -> bytes:
    return _bytes(bytes(DecimalBinaryDumper(Decimal).dump(Decimal(value)) or b""))


def _uuids(values: Sequence[UUID]) -> bytes:
    if not values:
        return _int4(12, 0) + _int4(0, _UUID_OID)
    items = b"".join(map(_uuid, values))
    return _array(20 + len(items), 1, 0, _UUID_OID, len(values), 1) + items


def _writer(kind: sql.TypeEngine[Any]) -> Writer:
    return next(write for kinds, write in _WRITERS if isinstance(kind, kinds))


_WRITERS: tuple[tuple[type[sql.TypeEngine[Any]], Writer], ...] = (
    (Uuid, _uuid),
    (BigInteger, _big_integer),
    (Integer, _integer),
    (Numeric, _decimal),
    (Boolean, _boolean),
    (Date, _date),
    (DateTime, _instant),
    (JSONB, _json),
    (ARRAY, _uuids),
    (LargeBinary, _bytes),
    (String, _text),
)
