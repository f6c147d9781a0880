"""A database per service is created once, on a real server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from servers.config import database_on
from servers.databases import create_absent

_GIVEN = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
SERVER = _GIVEN.replace("postgresql+psycopg:", "postgresql:")


@pytest.fixture
def database_url() -> Iterator[str]:
    """The URL of a database that is not there yet."""
    name = f"servers_test_{uuid.uuid4().hex[:12]}"
    try:
        connection = psycopg.connect(database_on(SERVER, "postgres"), autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL server that may create databases: {error}")
    with connection:
        yield database_on(SERVER, name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def test_an_absent_database_is_created_and_a_present_one_left_alone(database_url: str) -> None:
    assert create_absent({"booking": database_url}) == ["booking"]
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept ()")
    assert create_absent({"booking": database_url}) == []
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT FROM kept")


def test_a_sqlalchemy_url_will_do(database_url: str) -> None:
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    assert create_absent({"booking": url}) == ["booking"]
