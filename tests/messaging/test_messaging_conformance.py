"""What every transport must do (ARCHITECTURE section 4): the same tests on the local one and on RabbitMQ."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text

from common.errors import ConflictError
from common.ids import new_id
from common.messaging import Envelope, Published, Result, deadletters, outbox, resend


def test_a_committed_message_is_handled_once_in_its_organisation(rig: Any) -> None:
    rig.start().send(1)
    rig.wait_handled(1)
    rig.settle()
    assert rig.handled() == [1]
    with rig.consumer_database.system_session() as session:
        assert session.scalar(text("SELECT organization_id FROM mark")) == rig.organization_id


def test_the_envelope_arrives_as_it_was_written(rig: Any) -> None:
    seen: list[Envelope] = []
    (counted,) = rig.handlers.types()
    rig.handlers.on(counted)(lambda _session, _message, envelope: seen.append(envelope))
    (message_id,) = rig.start().send(7)
    rig.wait_handled(7)
    envelope = seen[0]
    assert (envelope.message_id, envelope.type, envelope.version) == (message_id, "counted", 1)
    assert (envelope.routing_key, envelope.producer) == ("producer.counted.v1", "producer")
    assert (envelope.organization_id, envelope.aggregate_id) == (rig.organization_id, rig.aggregate_id)
    assert (envelope.aggregate_version, envelope.attempt) == (7, 0)
    with rig.producer.system_session() as session:
        row = session.execute(text("SELECT created_at, headers FROM outbox")).one()
    assert (envelope.created_at, envelope.traceparent) == (row.created_at, row.headers["traceparent"])


def test_messages_of_an_aggregate_arrive_in_order_of_their_commits(rig: Any) -> None:
    rig.start()
    for first in range(0, 60, 3):
        rig.send(first, first + 1, first + 2)
    rig.wait_handled(*range(60))
    assert rig.handled() == list(range(60))


def test_rollback_publishes_nothing(rig: Any) -> None:
    rig.start()
    with rig.producer.session(rig.organization_id) as session:
        (counted,) = rig.handlers.types()
        outbox.add(session, counted(number=1), aggregate_id=new_id(), aggregate_version=1)
        session.rollback()
    rig.send(2)
    rig.wait_handled(2)
    rig.settle()
    assert rig.handled() == [2]


def test_crash_between_publish_and_mark_leads_to_a_duplicate_that_the_inbox_drops(rig: Any) -> None:
    class CrashError(Exception):
        pass

    class CrashingTransport:
        retry_delays = rig.transport.retry_delays

        def publish(self, envelopes: Sequence[Envelope]) -> list[Published]:
            rig.transport.publish(envelopes)
            raise CrashError

    rig.start_consumer()
    rig.send(1, 2, 3)
    with pytest.raises(CrashError):
        rig.relay(CrashingTransport()).run_once()
    rig.wait_handled(1, 2, 3)
    assert rig.unpublished() == 3
    assert rig.relay().run_once() == 3
    rig.settle()
    assert rig.handled() == [1, 2, 3]


def test_a_transient_failure_is_tried_again_and_leaves_no_half_effect(rig: Any) -> None:
    rig.fail(1, times=2)
    rig.start().send(1)
    rig.wait_handled(1)
    rig.settle()
    assert rig.handled() == [1]
    assert deadletters.count(rig.consumer_database) == 0


def test_a_batch_with_one_failing_message_handles_the_others(rig: Any) -> None:
    rig.fail(3, times=2)
    for number in range(1, 6):
        rig.send(number, aggregate_id=new_id())
    rig.start()
    rig.wait_handled(1, 2, 3, 4, 5)
    assert rig.handled()[-1] == 3


def test_a_permanent_failure_becomes_a_dead_letter_and_stops_nobody(rig: Any) -> None:
    rig.fail(1, for_good=True)
    ids = rig.start().send(1, 2)
    rig.wait_handled(2)
    rig.wait_until(lambda: deadletters.count(rig.consumer_database) == 1)
    rig.settle()
    (letter,) = deadletters.list(rig.consumer_database)
    assert (letter.message_id, letter.type, letter.attempts) == (ids[0], "counted", 1)
    assert "DomainError: never" in letter.error
    assert rig.handled() == [2]


def test_exhausted_retries_become_a_dead_letter(rig: Any) -> None:
    rig.fail(1, times=99)
    rig.start().send(1)
    rig.wait_until(lambda: deadletters.count(rig.consumer_database) == 1)
    (letter,) = deadletters.list(rig.consumer_database)
    assert letter.attempts == rig.topology.attempts
    rig.wait_until(lambda: rig.unpublished() == 0)


def test_replay_handles_a_dead_letter_with_its_own_id_and_closes_it(rig: Any) -> None:
    rig.fail(1, for_good=True)
    (message_id,) = rig.start().send(1)
    rig.wait_until(lambda: deadletters.count(rig.consumer_database) == 1)
    (letter,) = deadletters.list(rig.consumer_database)
    rig.mend(1)
    assert deadletters.replay(rig.consumer_database, rig.consumer, letter.id).result is Result.DONE
    assert rig.handled() == [1]
    assert deadletters.count(rig.consumer_database) == 0
    with rig.consumer_database.system_session() as session:
        assert session.scalar(text("SELECT message_id FROM inbox")) == message_id
    with pytest.raises(ConflictError):
        deadletters.replay(rig.consumer_database, rig.consumer, letter.id)


def test_a_replay_that_fails_leaves_the_letter_open(rig: Any) -> None:
    rig.fail(1, for_good=True)
    rig.start().send(1)
    rig.wait_until(lambda: deadletters.count(rig.consumer_database) == 1)
    (letter,) = deadletters.list(rig.consumer_database)
    assert deadletters.replay(rig.consumer_database, rig.consumer, letter.id).result is Result.DEAD
    assert deadletters.show(rig.consumer_database, letter.id).attempts == 2
    deadletters.drop(rig.consumer_database, letter.id)
    assert deadletters.count(rig.consumer_database) == 0


def test_a_newer_major_version_becomes_a_dead_letter(rig: Any) -> None:
    rig.start().announce_new_version()
    rig.wait_until(lambda: deadletters.count(rig.consumer_database) == 1)
    (letter,) = deadletters.list(rig.consumer_database)
    assert "newer than this consumer knows" in letter.error


def test_a_message_that_nobody_listens_to_is_legal(rig: Any) -> None:
    rig.start().announce_to_nobody()
    rig.wait_until(lambda: rig.unpublished() == 0)


def test_resend_repeats_nothing_that_was_handled(rig: Any) -> None:
    rig.start().send(1, 2, 3)
    rig.wait_handled(1, 2, 3)
    rig.settle()
    assert resend(rig.producer, rig.transport, "listener") == 3
    rig.settle()
    assert rig.handled() == [1, 2, 3]


def test_resend_builds_the_copy_of_a_service_that_lost_its_own(rig: Any) -> None:
    rig.start().send(1, 2, 3)
    rig.wait_handled(1, 2, 3)
    rig.settle()
    with rig.consumer_database.system_session() as session:
        session.execute(text("DELETE FROM mark"))
        session.execute(text("DELETE FROM inbox"))
        session.commit()
    resend(rig.producer, rig.transport, "listener")
    rig.wait_handled(1, 2, 3)


def test_every_message_twice_and_shuffled_has_one_effect(rig: Any) -> None:
    rig.start_consumer()
    rig.send(*range(20))
    with rig.producer.system_session() as session:
        session.execute(text("UPDATE outbox SET published_at = now()"))
        session.commit()
    for _ in range(2):
        resend(rig.producer, rig.transport, "listener", batch=7)
    rig.wait_handled(*range(20))
    rig.settle()
    assert sorted(rig.handled()) == list(range(20))


def test_of_two_relays_one_leads_and_the_other_takes_over(rig: Any) -> None:
    rig.start_consumer()
    relays = [rig.relay(), rig.relay()]
    stops = [Event(), Event()]
    threads = [Thread(target=r.run, args=(stop,), daemon=True) for r, stop in zip(relays, stops, strict=True)]
    for thread in threads:
        thread.start()
    rig.wait_until(lambda: any(relay.leading.is_set() for relay in relays))
    rig.send(*range(10))
    rig.wait_handled(*range(10))
    leader = 0 if relays[0].leading.is_set() else 1
    assert not relays[1 - leader].leading.is_set()
    stops[leader].set()
    threads[leader].join(timeout=10)
    rig.wait_until(relays[1 - leader].leading.is_set)
    rig.send(10)
    rig.wait_handled(*range(11))
    stops[1 - leader].set()
    threads[1 - leader].join(timeout=10)


def test_the_relay_survives_the_loss_of_its_database_connection(rig: Any) -> None:
    rig.start().send(1)
    rig.wait_handled(1)
    with rig.producer.engine.connect() as connection:
        connection.execute(text("RESET ROLE"))
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        in_here = " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        assert connection.execute(text(query + in_here)).scalar()
        connection.commit()
    rig.producer.engine.dispose()
    rig.send(2)
    rig.wait_handled(1, 2)
