"""The outbox belongs to the transaction: what a rollback takes, what a commit writes, what may be cleaned up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url, text

from common.db import Database, TenantSession
from common.ids import new_id
from common.messaging import Envelope, Handlers, LocalTransport, Message, Relay, deadletters, outbox, purge
from common.messaging.consumer import Consumer
from common.telemetry import Trace, tracing


class Noted(Message, frozen=True):
    service: ClassVar[str] = "producer"
    name: ClassVar[str] = "noted"
    number: int = 0


@pytest.fixture
def database(clean_databases: tuple[Database, Database]) -> Database:
    return clean_databases[0]


def add(session: TenantSession, number: int) -> UUID:
    return outbox.add(session, Noted(number=number), aggregate_id=new_id(), aggregate_version=number)


def rows(database: Database) -> list[int]:
    with database.system_session() as session:
        return list(session.scalars(text("SELECT aggregate_version FROM outbox ORDER BY seq")))


def test_written_lists_the_messages_of_the_last_commit_only(database: Database) -> None:
    with database.session(new_id()) as session:
        first = add(session, 1)
        assert outbox.written(session) == []
        session.commit()
        assert outbox.written(session) == [(first, "producer.noted.v1")]
        second = add(session, 2)
        session.commit()
        assert outbox.written(session) == [(second, "producer.noted.v1")]


def test_after_a_rollback_a_later_commit_writes_only_its_own(database: Database) -> None:
    with database.session(new_id()) as session:
        add(session, 1)
        session.rollback()
        add(session, 2)
        session.commit()
    assert rows(database) == [2]


def test_a_session_that_is_closed_without_commit_writes_nothing(database: Database) -> None:
    session = database.open_session(new_id())
    add(session, 1)
    session.close()
    add(session, 2)
    session.commit()
    session.close()
    assert rows(database) == [2]


def test_a_savepoint_rolled_back_takes_its_messages_and_no_others(database: Database) -> None:
    with database.session(new_id()) as session:
        add(session, 1)
        savepoint = session.begin_nested()
        add(session, 2)
        with session.begin_nested():
            add(session, 3)
        savepoint.rollback()
        with session.begin_nested():
            add(session, 4)
        add(session, 5)
        session.commit()
    assert rows(database) == [1, 4, 5]


@pytest.fixture
def inserting(database: Database) -> Iterator[Callable[[], int]]:
    """Counts the statements that have inserted into the outbox."""
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE SEQUENCE inserting")
        owner.execute(
            "CREATE FUNCTION count_inserting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
            "$$ BEGIN PERFORM nextval('inserting'); RETURN NULL; END $$"
        )
        owner.execute(
            "CREATE TRIGGER counting AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION count_inserting()"
        )
        yield lambda: owner.execute("SELECT last_value FROM inserting WHERE is_called").fetchall()[0][0]
        owner.execute("DROP FUNCTION count_inserting CASCADE")
        owner.execute("DROP SEQUENCE inserting")


@pytest.mark.parametrize("count", [1, 2, 200])
def test_messages_are_one_statement_in_their_order(
    database: Database, inserting: Callable[[], int], count: int
) -> None:
    with database.session(new_id()) as session:
        outbox.add_many(session, [(Noted(number=n), new_id(), n) for n in range(count)])
        session.commit()
    assert inserting() == 1
    assert rows(database) == list(range(count))


def test_cause_trace_and_organisation_are_stored(database: Database) -> None:
    organization_id, cause = new_id(), new_id()
    trace = Trace(trace_id="a" * 32, request_id="req-1", causation_id=cause)
    with tracing(trace), database.session(organization_id) as session:
        add(session, 1)
        outbox.add(session, Noted(), aggregate_id=new_id(), aggregate_version=2, organization_id=None)
        session.commit()
    with database.system_session() as session:
        first, second = session.execute(text("SELECT * FROM outbox ORDER BY seq")).all()
    assert (first.causation_id, first.organization_id, second.organization_id) == (cause, organization_id, None)
    assert first.headers["correlation_id"] == "req-1"
    assert first.headers["traceparent"].startswith("00-" + "a" * 32)
    assert first.headers["producer"] == "producer"


def test_a_handlers_messages_are_caused_by_the_message_it_handles(
    clean_databases: tuple[Database, Database],
) -> None:
    database, consumer_database = clean_databases
    handlers = Handlers()
    handlers.on(Noted)(lambda session, _message, _envelope: add(session, 9))  # type: ignore[arg-type,return-value]
    transport = LocalTransport({"c": Consumer("c", consumer_database, handlers)}, {"c": ["producer.noted.v1"]})
    with database.session(new_id()) as session:
        message_id = add(session, 1)
        session.commit()
    assert Relay(database, transport, "producer").run_until_empty() == 1
    with consumer_database.system_session() as session:
        row = session.execute(text("SELECT causation_id, organization_id FROM outbox")).one()
    assert row.causation_id == message_id
    assert row.organization_id is not None


def test_purge_deletes_what_is_old_and_done_and_nothing_else(database: Database) -> None:
    with database.session(new_id()) as session:
        outbox.add_many(session, [(Noted(), new_id(), n) for n in (1, 2, 3)])
        session.commit()
    now = database.clock.now()
    with database.system_session() as session:
        published = "UPDATE outbox SET published_at = :at WHERE aggregate_version = :n"
        session.execute(text(published), {"at": now - timedelta(days=31), "n": 1})
        session.execute(text(published), {"at": now - timedelta(days=29), "n": 2})
        entry = "INSERT INTO inbox (consumer, message_id, type, handled_at) VALUES ('c', :id, 'noted', :at)"
        for days in (36, 38):
            session.execute(text(entry), {"id": new_id(), "at": now - timedelta(days=days)})
        session.commit()
    purged = purge(database, days=30)
    assert (purged.outbox, purged.inbox, purged.dead_letters) == (1, 1, 0)
    assert rows(database) == [2, 3]


def test_the_same_message_dying_twice_is_one_letter(clean_databases: tuple[Database, Database]) -> None:
    database, _ = clean_databases
    envelope = Envelope(
        message_id=new_id(),
        type="noted",
        version=1,
        routing_key="producer.noted.v1",
        body=b"{}",
        created_at=database.clock.now(),
        producer="producer",
    )
    letter_id = deadletters.bury(database, "c", envelope, "first")
    deadletters.drop(database, letter_id)
    assert deadletters.bury(database, "c", envelope, "second") == letter_id
    (letter,) = deadletters.list(database)
    assert letter.error == "second"
    assert deadletters.envelope_of(letter) == envelope


def test_a_crowd_of_one_organisation_leaves_room_for_the_others(clean_databases: tuple[Database, Database]) -> None:
    database, consumer_database = clean_databases
    handled: list[int] = []
    handlers = Handlers()
    handlers.on(Noted)(lambda _session, message, _envelope: handled.append(message.number))  # type: ignore[arg-type,return-value]
    transport = LocalTransport({"c": Consumer("c", consumer_database, handlers)}, {"c": ["producer.noted.v1"]})
    with database.session(new_id()) as session:
        outbox.add_many(session, [(Noted(number=n), new_id(), n) for n in range(10)])
        session.commit()
    with database.session(new_id()) as session:
        outbox.add_many(session, [(Noted(number=n), new_id(), n) for n in (100, 101, 102)])
        session.commit()
    relay = Relay(database, transport, "producer", batch=4)
    assert relay.run_once() == 6
    assert handled == [0, 1, 2, 3, 100, 101]
    assert relay.run_until_empty() == 7
    assert handled == [0, 1, 2, 3, 100, 101, 4, 5, 6, 7, 102, 8, 9]
