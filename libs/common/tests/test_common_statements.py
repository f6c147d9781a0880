"""Statements past SQLAlchemy: in the session's transaction, with its errors, whatever psycopg does to prepared ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from catalog.service import SERVICE
from common.clock import SystemClock
from common.db import Database, TenantSession
from common.db.statements import run, run_together, write_last
from common.errors import UnavailableError
from common.ids import new_id
from common.tenancy import store_clock
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
        assert session.scalar(text(prepared)) == before == 3


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


def test_statements_run_together_and_none_after_one_that_fails(database: Database) -> None:
    with database.system_session() as session:
        together = [(SEEN, (1,)), (KEY, ("pair", "pem")), (SEEN, (2,))]
        assert run_together(session.connection(), together) == [[("*", 2)], [], [("*", 3)]]
        with pytest.raises(IntegrityError) as caught:
            run_together(session.connection(), [(KEY, ("alone", "pem")), (KEY, ("pair", "very private")), (SEEN, (3,))])
    assert "very private" not in str(caught.value)
    assert not kids(database) & {"pair", "alone"}


def test_what_is_written_last_decides_about_the_commit(database: Database) -> None:
    with database.system_session() as session:
        run(session, KEY, ("first", "pem"))
        write_last(session, [(KEY, ("last", "pem")), (KEY, ("first", "pem"))])
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        run(session, KEY, ("second", "pem"))
        session.commit()
    assert kids(database) & {"first", "last", "second"} == {"second"}


def test_a_connection_lost_at_the_commit_fails_it_and_leaves_the_pool(database: Database) -> None:
    with database.system_session() as session:
        process_id = session.scalar(text("SELECT pg_backend_pid()"))
        write_last(session, [(KEY, ("lost", "pem"))])
        with server(database) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", (process_id,))
        with pytest.raises(OperationalError):
            session.commit()
        session.rollback()
        assert run(session, SEEN, (1,)) == [("*", 2)]
    assert "lost" not in kids(database)


def test_a_constraint_checked_at_the_commit_fails_it(database: Database) -> None:
    with database.system_session() as session:
        session.execute(text("CREATE TEMPORARY TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        session.execute(text("INSERT INTO late VALUES (1), (1)"))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        assert run(session, SEEN, (1,)) == [("*", 2)]


def test_waiting_for_a_lock_lets_the_other_threads_of_the_process_work(shared: Database) -> None:
    """Whoever holds the lock may be one of them."""
    lock = "SELECT pg_advisory_xact_lock(720799)"
    with shared.system_session() as first, ThreadPoolExecutor() as pool:
        run(first, lock)

        def wait() -> None:
            with shared.system_session() as second:
                run_together(second.connection(), [(lock, ())])

        waiting = pool.submit(wait)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        first.rollback()
        waiting.result(timeout=10)


def test_the_beginning_brings_the_organisation_and_the_first_statements(database: Database) -> None:
    organization_id = add_organization(database, name="Harbour")
    with database.session(organization_id) as session:
        assert session.start((SEEN, (1,)), (SEEN, (2,))) == [[(str(organization_id), 2)], [(str(organization_id), 3)]]
        assert session.organization.name == "Harbour"
        assert session.start((SEEN, (3,))) == [[(str(organization_id), 4)]], "in a transaction that has begun"
        store_clock(session, organization_id, SystemClock().now() + timedelta(days=9), 9)
        assert session.now() > SystemClock().now() + timedelta(days=8), "the clock that this transaction has set"
    with database.session(organization_id) as session:
        session.execute(text("SELECT 1"))
        assert session.start((SEEN, (4,))) == [[(str(organization_id), 5)]], "in one that others have begun"
        with session.begin_nested():
            assert session.start((SEEN, (5,))) == [[(str(organization_id), 6)]]
    with database.session(new_id()) as session:
        session.start((SEEN, (1,)))
        with pytest.raises(UnavailableError):
            _ = session.organization


def test_what_goes_ahead_is_judged_before_all_else_however_the_transaction_begins(database: Database) -> None:
    organization_id = add_organization(database)
    seen: list[Any] = []
    with database.session(organization_id) as session:
        session.ask_ahead([(SEEN, (1,))], seen.append)
        assert session.is_asking_ahead
        assert session.start((SEEN, (2,))) == [[(str(organization_id), 3)]]
        assert (seen, session.is_asking_ahead) == ([[[(str(organization_id), 2)]]], False)
        assert session.organization.id == organization_id
    for begin in (lambda each: each.execute(text("SELECT 1")), lambda each: run(each, "SELECT 1")):
        with database.session(organization_id) as session:
            session.ask_ahead([(SEEN, (3,))], seen.append)
            begin(session)
            assert (seen.pop(), session.is_asking_ahead) == ([[(str(organization_id), 4)]], False)
    with database.session(organization_id) as session:
        session.execute(text("SELECT 1"))
        session.ask_ahead([(SEEN, (5,))], seen.append)
        with session.begin_nested():
            session.execute(text("SELECT 1"))
        assert seen.pop() == [[(str(organization_id), 6)]], "in a transaction that has begun"


def test_a_transaction_that_is_refused_at_its_beginning_does_nothing_and_can_be_ended(database: Database) -> None:
    def refuse(_found: Any) -> None:
        raise LookupError("refused")

    for end in (TenantSession.commit, TenantSession.rollback):
        with database.session(add_organization(database)) as session:
            session.ask_ahead([(SEEN, (1,))], refuse)
            with pytest.raises(LookupError):
                session.execute(text("INSERT INTO signing_key (kid, public_key) VALUES ('refused', 'pem')"))
            end(session)
            assert session.start((SEEN, (2,)))[0][0][1] == 3
    assert "refused" not in kids(database)


@pytest.mark.parametrize(
    ("last", "fault"),
    [([(KEY, ("twice", "pem")), (KEY, ("twice", "pem"))], IntegrityError), ([(KEY, ("NUL\0", "pem"))], DataError)],
    ids=["refused-by-the-database", "refused-before-it-is-sent"],
)
def test_what_fails_with_the_commit_leaves_nothing_to_the_connections_next_user(
    database: Database, last: list[Any], fault: type[Exception]
) -> None:
    first, second = new_id(), new_id()
    with database.session(first) as session:
        session.execute(text("INSERT INTO signing_key (kid, public_key) VALUES ('undone', 'pem')"))
        write_last(session, last)
        with pytest.raises(fault):
            session.commit()
    with database.session(second) as session:
        assert run(session, SEEN, (1,)) == [(str(second), 2)]
        session.commit()
    assert not kids(database) & {"twice", "undone"}


def test_a_bell_rings_after_the_commit_and_not_without_one(database: Database) -> None:
    with server(database) as listener:
        listener.execute("LISTEN outbox")
        with database.system_session() as session:
            write_last(session, [(KEY, ("silent", "pem"))], "outbox")
            session.rollback()
            session.execute(text("SELECT 1"))
            session.commit()
        assert list(listener.notifies(timeout=0.2)) == []
        with database.system_session() as session:
            write_last(session, [(KEY, ("ringing", "pem"))], "outbox")
            session.commit()
        assert [each.channel for each in listener.notifies(timeout=5, stop_after=1)] == ["outbox"]
