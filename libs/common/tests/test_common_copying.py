"""COPY in the binary format: every kind of column comes back as it went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError

from common.db.copying import copy_rows
from common.db.database import make_engine

THINGS = Table(
    "thing",
    MetaData(),
    Column("place", Integer),
    Column("id", Uuid),
    Column("amount", BigInteger),
    Column("rate", Numeric(18, 6)),
    Column("flag", Boolean),
    Column("day", Date),
    Column("at", DateTime(timezone=True)),
    Column("words", Text),
    Column("code", CHAR(3)),
    Column("data", JSONB),
    Column("body", LargeBinary),
    Column("ids", ARRAY(Uuid)),
    prefixes=["TEMP"],
)
COLUMNS = [column.name for column in THINGS.columns]
# PostgreSQL has no texts with NUL.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
instants = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001 - made aware here
    lambda each: each.replace(tzinfo=UTC)
)
json_values = st.recursive(
    texts | st.integers(-(2**53), 2**53) | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)
values = (
    st.uuids(),
    st.integers(-(2**63), 2**63 - 1),
    st.decimals(-(10**11), 10**11, places=6),
    st.booleans(),
    st.dates(),
    instants,
    texts,
    st.sampled_from(["EUR", "JPY"]),
    json_values,
    st.binary(max_size=50),
    st.lists(st.uuids(), max_size=3),
)  # fmt: skip
rows = st.lists(st.tuples(*(st.none() | each for each in values)), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def connection(postgres_server_url: str) -> Iterator[Connection]:
    engine = make_engine(postgres_server_url, pool_size=1)
    with engine.connect() as connection:
        THINGS.create(connection)
        yield connection
    engine.dispose()


def there_and_back(connection: Connection, given_rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    connection.execute(THINGS.delete())
    copy_rows(connection, THINGS, COLUMNS, given_rows)
    return [tuple(row) for row in connection.execute(select(THINGS).order_by(THINGS.c.place))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(some=rows)
def test_every_kind_of_value_comes_back_as_it_went_in(connection: Connection, some: list[tuple[Any, ...]]) -> None:
    numbered = [(place, *row) for place, row in enumerate(some)]
    assert there_and_back(connection, numbered) == numbered


def test_a_column_of_one_value_is_written_for_each_row(connection: Connection) -> None:
    row = (UUID(int=7), 1, Decimal("0.5"), True, date(2027, 3, 1), datetime(2027, 3, 1, tzinfo=UTC), "a\tb\\\n", "EUR")
    same = [(place, *row, {"a": [1]}, b"\x00\xff", []) for place in range(3)]
    assert there_and_back(connection, same) == same


def test_an_instant_of_another_zone_is_the_same_instant(connection: Connection) -> None:
    at = datetime(2027, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    rows_there = [(place, None, None, None, None, None, at, None, None, None, None, None) for place in (0, 1)]
    assert [row[6] for row in there_and_back(connection, rows_there)] == [at, at]


def test_a_number_beyond_its_column_is_a_value_error(connection: Connection) -> None:
    with pytest.raises(ValueError, match="beyond"):
        copy_rows(connection, THINGS, ["amount"], [(2**63,)])


def test_what_the_database_refuses_comes_as_sqlalchemys_error(connection: Connection) -> None:
    with pytest.raises(DataError), connection.begin_nested():
        copy_rows(connection, THINGS, ["rate"], [(Decimal(10) ** 15,)])


def test_no_rows_are_no_statement(connection: Connection) -> None:
    assert there_and_back(connection, []) == []
