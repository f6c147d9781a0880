"""What only a broker can do: bodies that are no messages, broken connections, limits (ARCHITECTURE section 4)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from amqp.basic_message import Message as AmqpMessage
from sqlalchemy import text

from common.db.database import make_engine
from common.ids import new_id
from common.messaging import Delivery, RabbitConsumerLoop, RabbitTransport, deadletters
from common.messaging.broker import BrokerConnection


class Door:
    """A TCP door to the broker: `slam` breaks all connections, and while it is shut none gets in."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self.shut = Event()
        Thread(target=self._accept, daemon=True).start()

    def slam(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            _hang_up(end)

    def close(self) -> None:
        self.shut.set()
        _hang_up(self._listener)
        self._listener.close()
        self.slam()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inside, _ = self._listener.accept()
                if self.shut.is_set():
                    inside.close()
                    continue
                outside = socket.create_connection(self._target)
                self._ends += [inside, outside]
                for source, sink in ((inside, outside), (outside, inside)):
                    Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError), source:
        while data := source.recv(65536):
            sink.sendall(data)
    _hang_up(sink)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def door(amqp_url: str) -> Iterator[Door]:
    target = urlsplit(amqp_url)
    door = Door(target.hostname or "127.0.0.1", target.port or 5672)
    yield door
    door.close()


def through(door: Door, amqp_url: str) -> str:
    target = urlsplit(amqp_url)
    return amqp_url.replace(f":{target.port}", f":{door.port}")


@pytest.fixture
def channel(rabbit_rig: Any) -> Iterator[Any]:
    """A channel of our own beside the rig, with everything declared."""
    connection = BrokerConnection(rabbit_rig.amqp_url)
    channel = connection.channel()
    rabbit_rig.topology.declare(channel)
    yield channel
    connection.drop()


def test_everything_may_be_declared_again_and_again(rabbit_rig: Any, channel: Any) -> None:
    rabbit_rig.topology.declare(channel)
    rabbit_rig.topology.declare(channel)


@pytest.mark.parametrize(
    "message",
    [
        AmqpMessage(b"\xff\x00 no json"),
        AmqpMessage(b"{}", type="counted\0", app_id="\0", message_id="no uuid", content_encoding="utf-8"),
        AmqpMessage(b"{}", type="counted", app_id="producer", message_id=str(new_id()), application_headers={}),
    ],
)
def test_what_is_no_message_becomes_a_dead_letter_and_stops_nobody(
    rabbit_rig: Any, channel: Any, message: AmqpMessage
) -> None:
    rabbit_rig.start()
    channel.basic_publish(message, "", rabbit_rig.topology.queue("listener"))
    rabbit_rig.wait_until(lambda: deadletters.count(rabbit_rig.consumer_database) == 1)
    (letter,) = deadletters.list(rabbit_rig.consumer_database)
    assert "not a message of ours" in letter.error
    assert letter.body == message.body
    rabbit_rig.send(1)
    rabbit_rig.wait_handled(1)


def test_a_body_that_breaks_the_contract_becomes_a_dead_letter(rabbit_rig: Any) -> None:
    rabbit_rig.send(1)
    with rabbit_rig.producer.system_session() as session:
        session.execute(text("UPDATE outbox SET body = :body"), {"body": b'{"number":"one"}'})
        session.commit()
    rabbit_rig.start()
    rabbit_rig.wait_until(lambda: deadletters.count(rabbit_rig.consumer_database) == 1)
    (letter,) = deadletters.list(rabbit_rig.consumer_database)
    assert "ValidationError" in letter.error


def test_relay_and_consumer_come_back_after_the_broker_was_gone(rabbit_rig: Any, door: Door) -> None:
    url = through(door, rabbit_rig.amqp_url)
    rabbit_rig.run_thread(RabbitConsumerLoop(url, rabbit_rig.topology, rabbit_rig.consumer).run)
    rabbit_rig.run_thread(rabbit_rig.relay(RabbitTransport(url, rabbit_rig.topology)).run)
    rabbit_rig.send(*range(5))
    rabbit_rig.wait_handled(*range(5))
    door.shut.set()
    door.slam()
    rabbit_rig.send(*range(5, 10))
    door.shut.clear()
    rabbit_rig.wait_handled(*range(10))
    rabbit_rig.settle()
    assert sorted(rabbit_rig.handled()) == list(range(10))


def test_connections_broken_at_random_moments_lose_and_repeat_nothing(rabbit_rig: Any, door: Door) -> None:
    url = through(door, rabbit_rig.amqp_url)
    loop = RabbitConsumerLoop(url, rabbit_rig.topology, rabbit_rig.consumer, prefetch=4)
    rabbit_rig.run_thread(loop.run)
    rabbit_rig.run_thread(rabbit_rig.relay(RabbitTransport(url, rabbit_rig.topology)).run)
    rabbit_rig.wait_until(loop.consuming.is_set)
    for round_ in range(4):
        rabbit_rig.send(*range(round_ * 50, round_ * 50 + 50))
        door.slam()
    rabbit_rig.wait_until(lambda: len(rabbit_rig.handled()) >= 200, seconds=30)
    rabbit_rig.settle()
    assert sorted(rabbit_rig.handled()) == list(range(200))


def test_a_broker_out_of_reach_blames_no_message(rabbit_rig: Any) -> None:
    transport = RabbitTransport("amqp://guest:guest@127.0.0.1:1//", rabbit_rig.topology)
    rabbit_rig.send(1)
    with pytest.raises(Exception, match="refused"):
        rabbit_rig.relay(transport).run_once()
    with rabbit_rig.producer.system_session() as session:
        row = session.execute(text("SELECT published_at, attempts, next_attempt_at FROM outbox")).one()
    assert tuple(row) == (None, 0, None)


def test_a_full_queue_refuses_and_the_row_waits_in_the_outbox(rabbit_rig: Any, channel: Any) -> None:
    full = replace(rabbit_rig.topology, prefix=f"{rabbit_rig.topology.prefix}full-", max_length=1)
    transport = RabbitTransport(rabbit_rig.amqp_url, full, retry_delays=(0.1,))
    try:
        for number in range(30):
            rabbit_rig.send(number, aggregate_id=new_id())
            rabbit_rig.relay(transport).run_once()
        assert rabbit_rig.unpublished() > 20
        channel.queue_purge(full.queue("listener"))
        rabbit_rig.wait_until(lambda: rabbit_rig.relay(transport).run_once() > 0)
    finally:
        transport.close()
        full.delete(channel)


def test_a_refused_row_holds_back_only_its_own_aggregate(rabbit_rig: Any) -> None:
    rabbit_rig.start_consumer()
    rabbit_rig.send(1, 2)
    rabbit_rig.send(3, aggregate_id=new_id())
    with rabbit_rig.producer.system_session() as session:
        until = text("UPDATE outbox SET next_attempt_at = now() + interval '1 hour' WHERE aggregate_version = 1")
        session.execute(until)
        session.commit()
    assert rabbit_rig.relay().run_once() == 1
    rabbit_rig.wait_handled(3)


def test_a_direct_message_without_a_queue_is_refused(rabbit_rig: Any, channel: Any) -> None:
    envelopes: list[Any] = []
    (counted,) = rabbit_rig.handlers.types()
    rabbit_rig.handlers.on(counted)(lambda _session, _message, envelope: envelopes.append(envelope))
    rabbit_rig.start_consumer()
    rabbit_rig.send(1)
    rabbit_rig.relay().run_once()
    rabbit_rig.wait_handled(1)
    channel.queue_delete(rabbit_rig.topology.queue("idler"))
    (answer,) = rabbit_rig.transport.send_to("idler", envelopes)
    assert answer.delivery is Delivery.REFUSED
    assert "no queue" in (answer.error or "")


def test_what_consumers_keep_dying_on_becomes_a_dead_letter(rabbit_rig: Any, amqp_prefix: str) -> None:
    rabbit_rig.topology = replace(rabbit_rig.topology, prefix=f"{amqp_prefix}limit-", delivery_limit=2)
    rabbit_rig.transport.topology = rabbit_rig.topology
    rabbit_rig.send(1)
    rabbit_rig.relay().run_once()
    for _ in range(3):
        connection = BrokerConnection(rabbit_rig.amqp_url)
        channel, got = connection.channel(), []
        channel.basic_consume(rabbit_rig.topology.queue("listener"), callback=got.append)
        while connection.wait(0.5) and not got:
            pass
        connection.drop()
    rabbit_rig.start_consumer()
    try:
        rabbit_rig.wait_until(lambda: deadletters.count(rabbit_rig.consumer_database) == 1)
        (letter,) = deadletters.list(rabbit_rig.consumer_database)
        assert "the broker gave up" in letter.error
        assert rabbit_rig.handled() == []
        assert deadletters.replay(rabbit_rig.consumer_database, rabbit_rig.consumer, letter.id).settled
        assert rabbit_rig.handled() == [1]
    finally:
        rabbit_rig.finish()
        connection = BrokerConnection(rabbit_rig.amqp_url)
        rabbit_rig.topology.delete(connection.channel())
        connection.drop()


def test_while_the_consumers_database_is_down_messages_wait_and_count_no_attempt(rabbit_rig: Any) -> None:
    database = rabbit_rig.consumer_database
    rabbit_rig.start().send(1)
    rabbit_rig.wait_handled(1)
    engine, database.engine = database.engine, _nowhere(database.engine)
    rabbit_rig.send(2)
    rabbit_rig.settle(1.5)
    database.engine = engine
    rabbit_rig.wait_handled(1, 2)
    assert deadletters.count(database) == 0


def _nowhere(engine: Any) -> Any:
    return make_engine(engine.url.set(port=1).render_as_string(hide_password=False))


def test_on_stop_the_broker_keeps_what_was_not_handled(rabbit_rig: Any) -> None:
    stop = Event()
    (counted,) = rabbit_rig.handlers.types()
    rabbit_rig.handlers.on(counted)(lambda _session, _message, _envelope: stop.set())
    loop = RabbitConsumerLoop(rabbit_rig.amqp_url, rabbit_rig.topology, rabbit_rig.consumer, prefetch=1)
    rabbit_rig.send(*range(10))
    rabbit_rig.relay().run_once()
    loop.run(stop)
    assert rabbit_rig.handled() == [0]
    rabbit_rig.start_consumer()
    rabbit_rig.wait_handled(*range(10))
