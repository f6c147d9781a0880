"""Messages per second and latency, from `outbox.add` to a committed handler, on real PostgreSQL and RabbitMQ.

One producer, one relay and one consumer process. Beside it, in the same run and with no database at all: bare pipelined
kombu publish and consume, and Celery and FastStream publishing with a confirm, each with one consumer process.

    python bench/messaging.py [--messages 20000] [--peer-messages 4000] [--seconds 20]
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import platform
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any, ClassVar
from uuid import UUID

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import BigInteger, make_url, text
from sqlalchemy.orm import Mapped, mapped_column

from common.db import Database, TenantSession, install_plumbing, make_base
from common.db.migrate import create_database, drop_databases
from common.ids import new_id
from common.messaging import (
    Consumer,
    Envelope,
    Handlers,
    Message,
    RabbitConsumerLoop,
    RabbitTransport,
    Relay,
    Topology,
    outbox,
)
from common.messaging.amqp_envelope import to_amqp
from common.messaging.broker import BrokerConnection
from common.messaging.confirms import ConfirmingPublisher

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AMQP = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")


class Ticked(Message, frozen=True):
    """About as large as a small booking."""

    service: ClassVar[str] = "bench"
    name: ClassVar[str] = "ticked"
    number: int
    sent_ns: int
    note: str = "a desk by the window, from nine to five, with a screen and a plant" * 3


class Mark(make_base()):  # type: ignore[misc]
    """What the handler writes; SQLAlchemy sends a batch's rows together."""

    __tablename__ = "mark"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[int]
    latency_ns: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Rig:
    """Names of everything one run uses."""

    producer_url: str
    consumer_url: str
    prefix: str

    @property
    def topology(self) -> Topology:
        """One subscriber."""
        return Topology({"bench": ["bench.ticked.v1"]}, prefix=self.prefix)


def open_database(url: str) -> Database:
    """As the owner: a bench needs no row-level security."""
    return Database(url, role=make_url(url).username)


@contextmanager
def rig() -> Iterator[Rig]:
    """Two databases and a set of queues, gone afterwards."""
    tag = secrets.token_hex(4)
    names = [f"bench_messaging_{side}_{tag}" for side in ("producer", "consumer")]
    urls = [make_url(SERVER).set(database=name).render_as_string(hide_password=False) for name in names]
    made = Rig(urls[0], urls[1], f"bench-{tag}-")
    try:
        for name, url in zip(names, urls, strict=True):
            create_database(SERVER, name)
            _install(url)
        yield made
    finally:
        connection = BrokerConnection(AMQP)
        made.topology.delete(connection.channel())
        connection.drop()
        drop_databases(SERVER, *names)


def _install(url: str) -> None:
    database = open_database(url)
    with database.engine.begin() as connection:
        install_plumbing(Operations(MigrationContext.configure(connection)))
        connection.execute(text("CREATE TABLE mark (id uuid PRIMARY KEY, number int, latency_ns bigint)"))
    database.dispose()


def relay_process(rig: Rig, stop: Event) -> None:
    """One relay."""
    Relay(open_database(rig.producer_url), RabbitTransport(AMQP, rig.topology), "bench").run(stop)  # type: ignore[arg-type]


def consumer_process(rig: Rig, stop: Event, prefetch: int) -> None:
    """One consumer whose handler writes a row with the message's latency."""
    handlers = Handlers()

    @handlers.on(Ticked)
    def mark(session: TenantSession, message: Ticked, _envelope: Envelope) -> None:
        session.add(Mark(number=message.number, latency_ns=time.time_ns() - message.sent_ns))

    consumer = Consumer("bench", open_database(rig.consumer_url), handlers)
    RabbitConsumerLoop(AMQP, rig.topology, consumer, prefetch=prefetch).run(stop)  # type: ignore[arg-type]


@contextmanager
def running(*targets: tuple[Callable[..., None], tuple[Any, ...]]) -> Iterator[None]:
    """Processes that get a stop event as their second argument."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    processes = [context.Process(target=target, args=(args[0], stop, *args[1:])) for target, args in targets]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        stop.set()
        for process in processes:
            process.join(timeout=20)


def produce(database: Database, first: int, count: int, organization_id: UUID) -> None:
    """One transaction with ``count`` messages."""
    with database.session(organization_id) as session:
        for number in range(first, first + count):
            message = Ticked(number=number, sent_ns=time.time_ns())
            outbox.add(session, message, aggregate_id=new_id(), aggregate_version=1)
        session.commit()


def marks(database: Database) -> int:
    """How many messages have been handled and committed."""
    with database.system_session() as session:
        return session.scalar(text("SELECT count(*) FROM mark")) or 0


def wait_for(database: Database, count: int, seconds: float = 120) -> None:
    """Until so many are handled."""
    deadline = time.monotonic() + seconds
    while marks(database) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {marks(database)} of {count} handled after {seconds:.0f} s")
        time.sleep(0.1)


def warm_up(producer: Database, consumer: Database, organization_id: UUID) -> None:
    """Both processes are up and connected when the first messages are through."""
    produce(producer, 0, 50, organization_id)
    wait_for(consumer, 50)
    with consumer.system_session() as session:
        session.execute(text("TRUNCATE mark"))
        session.commit()


def throughput(messages: int, transaction: int, prefetch: int) -> float:
    """Messages per second from the first `outbox.add` to the last committed handler, all running at once."""
    with rig() as made:
        producer, consumer, organization_id = (
            open_database(made.producer_url),
            open_database(made.consumer_url),
            new_id(),
        )
        with running((relay_process, (made,)), (consumer_process, (made, prefetch))):
            warm_up(producer, consumer, organization_id)
            started = time.perf_counter()
            for first in range(0, messages, transaction):
                produce(producer, first, min(transaction, messages - first), organization_id)
            added = time.perf_counter() - started
            wait_for(consumer, messages)
            elapsed = time.perf_counter() - started
            _check_exactly_once(consumer, messages)
        producer.dispose()
        consumer.dispose()
    print(f"  (adding alone took {added:.1f} s of {elapsed:.1f} s)")
    return messages / elapsed


def _check_exactly_once(consumer: Database, messages: int) -> None:
    with consumer.system_session() as session:
        row = session.execute(text("SELECT count(*), count(DISTINCT number) FROM mark")).one()
    if tuple(row) != (messages, messages):
        raise SystemExit(f"not exactly once: {row}")


def latency(rate: int, seconds: int, prefetch: int) -> list[float]:
    """Milliseconds from `outbox.add` to the handler at a steady rate, sorted."""
    with rig() as made:
        producer, consumer, organization_id = (
            open_database(made.producer_url),
            open_database(made.consumer_url),
            new_id(),
        )
        with running((relay_process, (made,)), (consumer_process, (made, prefetch))):
            warm_up(producer, consumer, organization_id)
            started = time.monotonic()
            for number in range(rate * seconds):
                time.sleep(max(0.0, started + number / rate - time.monotonic()))
                produce(producer, number, 1, organization_id)
            wait_for(consumer, rate * seconds)
            with consumer.system_session() as session:
                found = [row[0] / 1e6 for row in session.execute(text("SELECT latency_ns FROM mark"))]
        producer.dispose()
        consumer.dispose()
    return sorted(found)


def bare_consumer(rig: Rig, stop: Event) -> None:
    """Take and ack, nothing else."""
    connection = BrokerConnection(AMQP)
    channel = connection.channel()
    rig.topology.declare(channel)
    channel.basic_qos(0, 200, False)
    channel.basic_consume(rig.topology.queue("bench"), callback=lambda message: channel.basic_ack(message.delivery_tag))
    while not stop.is_set():
        connection.wait(0.2)
    connection.drop()


def bare_kombu(messages: int) -> float:
    """Messages per second published pipelined with confirms and consumed, without any database."""
    with rig() as made:
        connection = BrokerConnection(AMQP)
        channel = connection.channel()
        made.topology.declare(channel)
        publisher = ConfirmingPublisher(channel)
        envelope = _envelope()
        with running((bare_consumer, (made,))):
            _wait_for_consumer(connection, made)
            started = time.perf_counter()
            for first in range(0, messages, 300):
                size = min(300, messages - first)
                batch = [("bench.ticked.v1", to_amqp(envelope)) for _ in range(size)]
                publisher.publish(made.topology.exchange, batch)
            while channel.queue_declare(made.topology.queue("bench"), passive=True).message_count:
                time.sleep(0.01)
            elapsed = time.perf_counter() - started
        connection.drop()
    return messages / elapsed


def _wait_for_consumer(connection: BrokerConnection, rig: Rig) -> None:
    channel = connection.channel()
    while not channel.queue_declare(rig.topology.queue("bench"), passive=True).consumer_count:
        time.sleep(0.05)


def peer(name: str, messages: int) -> float:
    """Messages per second of another library, from the first publish to the last handled; at least once.

    ``name`` is that of a module in ``peers``, loaded late so that it weighs on nobody else's processes.
    """
    module, queue = importlib.import_module(f"peers.{name}"), f"bench-{name}-{secrets.token_hex(4)}"
    context = multiprocessing.get_context("fork")
    handled = context.Value("q", 0)
    consumer = context.Process(target=module.consume, args=(AMQP, queue, handled))
    consumer.start()
    try:
        _await_consumer(queue)
        _publish_and_wait(module, queue, handled, 50)
        started = time.perf_counter()
        _publish_and_wait(module, queue, handled, messages)
        return messages / (time.perf_counter() - started)
    finally:
        consumer.kill()
        consumer.join()
        _delete(queue)


def _publish_and_wait(module: Any, queue: str, handled: Any, messages: int) -> None:
    goal, deadline = handled.value + messages, time.monotonic() + 120
    example = Ticked(number=0, sent_ns=time.time_ns())
    module.publish(AMQP, queue, [(number, example.sent_ns, example.note) for number in range(messages)])
    while handled.value < goal:
        if time.monotonic() > deadline:
            raise SystemExit(f"{module.__name__}: {goal - handled.value} of {messages} not handled")
        time.sleep(0.002)


def _await_consumer(queue: str) -> None:
    connection = BrokerConnection(AMQP)
    channel = connection.channel()
    while not channel.queue_declare(queue, durable=True, auto_delete=False).consumer_count:
        time.sleep(0.05)
    connection.drop()


def _delete(queue: str) -> None:
    connection = BrokerConnection(AMQP)
    connection.channel().queue_delete(queue)
    connection.drop()


def _envelope() -> Envelope:
    from common.clock import SystemClock

    message = Ticked(number=1, sent_ns=time.time_ns())
    return Envelope(
        message_id=new_id(),
        type=message.name,
        version=1,
        routing_key=message.routing_key(),
        body=message.encode(),
        created_at=SystemClock().now(),
        producer=message.service,
        organization_id=new_id(),
        aggregate_id=new_id(),
        aggregate_version=1,
    )


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--peer-messages", type=int, default=4_000, help="for Celery and FastStream")
    parser.add_argument("--transaction", type=int, default=20, help="messages per producing transaction")
    parser.add_argument("--seconds", type=int, default=20, help="how long to measure latency at 50/s")
    parser.add_argument("--prefetch", type=int, default=100)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    rate = throughput(options.messages, options.transaction, options.prefetch)
    rows = {
        "Deskledger, exactly once, outbox.add to committed handler": rate,
        "bare kombu, pipelined, no database, at least once": bare_kombu(options.messages),
        "Celery, publish with confirm to handler, no database": peer("celery_peer", options.peer_messages),
        "FastStream, publish with confirm to handler, no database": peer("faststream_peer", options.peer_messages),
    }
    for title, per_second in rows.items():
        print(f"{title:<60}{per_second:>7,.0f} messages/s")
    times = latency(50, options.seconds, options.prefetch)
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"Deskledger latency at 50/s:  p50 {p50:.1f} ms  p99 {p99:.1f} ms  max {times[-1]:.1f} ms")


if __name__ == "__main__":
    main()
