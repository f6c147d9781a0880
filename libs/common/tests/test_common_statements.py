"""Statements past SQLAlchemy: in the session's transaction, with its errors, whatever psycopg does to prepared ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from catalog.models import Location
from catalog.service import SERVICE
from common import audit
from common.clock import SystemClock
from common.db import Database, TenantSession
from common.db.rows import insert_rows
from common.db.statements import run
from common.ids import new_id
from common.testing.plugin import add_organization

SEEN = "SELECT current_setting('deskledger.organization'), $1::int + 1"
KEY = "INSERT INTO signing_key (kid, public_key) VALUES ($1, $2)"


@pytest.fixture(scope="module")
def shared(make_database: Callable[[str, Path], Database]) -> Database:
    return make_database("catalog", SERVICE.migrations)


@pytest.fixture
def database(shared: Database) -> Iterator[Database]:
    """The database through a pool of one connection, so that every session gets the same."""
    alone = Database(shared.url, pool_size=1)
    yield alone
    alone.dispose()


def kids(database: Database) -> set[str]:
    with database.system_session() as session:
        return set(session.scalars(text("SELECT kid FROM signing_key")))


def server(database: Database) -> psycopg.Connection[Any]:
    """A connection past the pool, as the owner."""
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def test_a_statement_sees_the_sessions_organisation_and_gives_typed_rows(database: Database) -> None:
    organization_id = new_id()
    with database.session(organization_id) as session:
        assert run(session, SEEN, (41,)) == [(str(organization_id), 42)]
    with database.system_session() as session:
        assert run(session, SEEN, (1,)) == [("*", 2)]


def test_what_is_not_committed_is_rolled_back(database: Database) -> None:
    with database.system_session() as session:
        run(session, KEY, ("left", "pem"))
    with database.system_session() as session:
        run(session, KEY, ("kept", "pem"))
        session.commit()
    assert {"left", "kept"} & kids(database) == {"kept"}


def test_an_error_is_sqlalchemys_and_quotes_no_parameter(database: Database) -> None:
    with database.system_session() as session:
        run(session, KEY, ("twice", "pem"))
        with pytest.raises(IntegrityError) as caught:
            run(session, KEY, ("twice", "very private"))
    assert caught.value.orig is not None
    assert caught.value.orig.sqlstate == "23505"  # type: ignore[attr-defined]
    assert "very private" not in str(caught.value)


def test_errors_of_orm_statements_quote_no_parameter_either(database: Database) -> None:
    with database.system_session() as session, pytest.raises(IntegrityError) as caught:
        session.execute(text("INSERT INTO signing_key (kid) VALUES (:kid)"), {"kid": "very private"})
    assert "[SQL parameters hidden" in str(caught.value)
    assert "very private" not in str(caught.value).replace(str(caught.value.orig), "")


def deallocate(session: TenantSession) -> None:
    """As psycopg does it on a connection of the pool."""
    session.connection().connection.driver_connection.execute("DEALLOCATE ALL")  # type: ignore[union-attr]


def test_deallocated_statements_are_prepared_again_in_the_next_transaction(database: Database) -> None:
    for number in (1, 2):
        with database.system_session() as session:
            assert run(session, SEEN, (number,)) == [("*", number + 1)]
            deallocate(session)


def test_statements_work_after_a_savepoint_was_rolled_back(database: Database) -> None:
    with database.session(new_id()) as session:
        for number in range(12):  # psycopg prepares what it has seen often
            session.execute(text("SELECT 1"))
            with session.begin_nested() as savepoint:
                run(session, KEY, (f"gone-{number}", "pem"))
                savepoint.rollback()
            with session.begin_nested():
                run(session, KEY, (f"stays-{number}", "pem"))
        session.commit()
    assert {kid for kid in kids(database) if kid.startswith(("gone", "stays"))} == {f"stays-{n}" for n in range(12)}


def test_a_rollback_keeps_what_is_prepared(database: Database) -> None:
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'deskledger%'"
    with database.system_session() as session:
        for _ in range(12):
            session.execute(text("SELECT 1"))
            run(session, SEEN, (1,))
            session.rollback()
        before = session.scalar(text(prepared))
        session.rollback()
        assert session.scalar(text(prepared)) == before == 2


def test_a_connection_that_the_server_has_ended_is_not_used_again(database: Database) -> None:
    with database.system_session() as session:
        process_id = session.scalar(text("SELECT pg_backend_pid()"))
    with server(database) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", (process_id,))
    with database.system_session() as session:
        assert run(session, SEEN, (1,)) == [("*", 2)]
        assert session.scalar(text("SELECT pg_backend_pid()")) != process_id


def test_a_connection_lost_on_the_way_fails_the_request_and_leaves_the_pool(database: Database) -> None:
    with database.system_session() as session:
        process_id = session.scalar(text("SELECT pg_backend_pid()"))
        with server(database) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", (process_id,))
        with pytest.raises(OperationalError) as caught:
            run(session, SEEN, (1,))
        assert caught.value.connection_invalidated
        session.rollback()
        assert run(session, SEEN, (1,)) == [("*", 2)]


def location(**values: Any) -> Location:
    return Location(id=new_id(), name="Dock", timezone="Europe/Berlin", created_at=SystemClock().now(), **values)


def test_inserted_rows_are_like_flushed_ones(database: Database) -> None:
    organization_id = add_organization(database)
    row, other = location(opening_hours={"mon": [["08:00", "18:00"]]}), location(code="D2")
    with database.session(organization_id) as session:
        insert_rows(session, [row, other])
        assert (row.organization_id, row.version, row.tax_percent) == (organization_id, 1, None)
        row.name = "Pier"
        session.commit()
    with database.session(organization_id) as session:
        found = {each.code: each for each in session.scalars(select(Location))}
    assert (found[None].name, found["D2"].name) == ("Pier", "Dock")
    assert (found[None].opening_hours, found["D2"].opening_hours) == ({"mon": [["08:00", "18:00"]]}, {})


def test_a_row_of_another_organisation_is_not_inserted(database: Database) -> None:
    with database.session(add_organization(database)) as session, pytest.raises(PermissionError):
        insert_rows(session, [location(organization_id=new_id())])


def test_collected_rows_follow_their_savepoint(database: Database) -> None:
    organization_id = add_organization(database)
    with database.session(organization_id) as session:
        audit.record(session, "first", "x")
        with session.begin_nested() as savepoint:
            audit.record(session, "second", "x")
            savepoint.rollback()
        assert audit.is_recorded(session)
        session.commit()
    with database.session(organization_id) as session:
        assert [entry.action for entry in session.scalars(audit.entries(session))] == ["first"]
