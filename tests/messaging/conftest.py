"""A producer and a consumer on real databases, joined by each of the two transports in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import text

from common.db import Database, TenantSession
from common.errors import DomainError, TransientError
from common.ids import new_id
from common.messaging import (
    Consumer,
    Envelope,
    Handlers,
    LocalTransport,
    Message,
    RabbitConsumerLoop,
    RabbitTransport,
    Relay,
    Topology,
    Transport,
    outbox,
)
from common.messaging.broker import BrokerConnection

MIGRATIONS = Path(__file__).parent / "migrations"
TIERS = {"a": 0.1, "b": 0.1, "c": 0.1}


class Counted(Message):
    service: ClassVar[str] = "producer"
    name: ClassVar[str] = "counted"
    number: int


class CountedAnew(Message):
    """A version that the consumer does not know yet."""

    service: ClassVar[str] = "producer"
    name: ClassVar[str] = "counted"
    major: ClassVar[int] = 2
    numbers: list[int]


class Whispered(Message):
    """Nobody listens to it."""

    service: ClassVar[str] = "producer"
    name: ClassVar[str] = "whispered"
    number: int


@dataclass
class Rig:
    """Producer, relay, transport and consumer; `failures` tells the handler what to raise for which number."""

    producer: Database
    consumer_database: Database
    transport: Transport
    consumer: Consumer
    handlers: Handlers
    topology: Topology
    amqp_url: str | None = None
    failures: dict[int, list[Exception]] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    organization_id: UUID = field(default_factory=new_id)
    aggregate_id: UUID = field(default_factory=new_id)

    def send(self, *numbers: int, aggregate_id: UUID | None = None) -> list[UUID]:
        """Commit one `Counted` per number, all in one transaction."""
        with self.producer.session(self.organization_id) as session:
            ids = [
                outbox.add(
                    session,
                    Counted(number=number),
                    aggregate_id=aggregate_id or self.aggregate_id,
                    aggregate_version=number,
                )
                for number in numbers
            ]
            session.commit()
        return ids

    def announce(self, message: Message) -> UUID:
        """Commit one message of any type."""
        with self.producer.session(self.organization_id) as session:
            message_id = outbox.add(session, message, aggregate_id=self.aggregate_id, aggregate_version=1)
            session.commit()
        return message_id

    def announce_new_version(self) -> UUID:
        """Commit a message of a major version that the consumer does not know."""
        return self.announce(CountedAnew(numbers=[1]))

    def announce_to_nobody(self) -> UUID:
        """Commit a message without subscribers."""
        return self.announce(Whispered(number=1))

    def fail(self, number: int, *, times: int = 1, for_good: bool = False) -> None:
        """Let the handler of a number fail so often, or always with a permanent error, until `mend`."""
        if for_good:
            self.failures[number] = [DomainError("no_such_thing", "never")] * 99
        else:
            self.failures[number] = [TransientError("not just now")] * times

    def mend(self, number: int) -> None:
        """Let the handler of a number succeed from now on."""
        self.failures[number] = []

    def relay(self, transport: Transport | None = None) -> Relay:
        """A relay of the producer."""
        return Relay(self.producer, transport or self.transport, "producer", sweep=0.2)

    def start(self) -> Rig:
        """Run the relay, and the consumer's loop if the transport needs one."""
        self.start_consumer()
        self.run_thread(self.relay().run)
        return self

    def start_consumer(self) -> None:
        if self.amqp_url:
            self.run_thread(self.loop().run)

    def loop(self) -> RabbitConsumerLoop:
        assert self.amqp_url
        return RabbitConsumerLoop(self.amqp_url, self.topology, self.consumer, prefetch=16)

    def run_thread(self, body: Callable[[Event], None]) -> None:
        thread = Thread(target=body, args=(self.stop,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def finish(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=10)
            assert not thread.is_alive()

    def handled(self) -> list[int]:
        """Numbers whose handler has committed, in that order."""
        with self.consumer_database.system_session() as session:
            return list(session.scalars(text("SELECT number FROM mark ORDER BY place")))

    def unpublished(self) -> int:
        with self.producer.system_session() as session:
            return session.scalar(text("SELECT count(*) FROM outbox WHERE published_at IS NULL")) or 0

    def wait_handled(self, *numbers: int) -> None:
        self.wait_until(lambda: sorted(self.handled()) == sorted(numbers), lambda: f"handled: {self.handled()}")

    def wait_until(self, condition: Callable[[], bool], complain: Callable[[], str] = str, seconds: float = 15) -> None:
        """Poll until the condition holds; fails after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, complain() or "did not happen in time"
            time.sleep(0.02)

    def settle(self, seconds: float = 0.4) -> None:
        """Everything published, and time for a surplus delivery to show."""
        self.wait_until(lambda: self.unpublished() == 0)
        time.sleep(seconds)


def make_handlers(failures: dict[int, list[Exception]]) -> Handlers:
    handlers = Handlers()

    @handlers.on(Counted)
    def leave_a_mark(session: TenantSession, message: Counted, envelope: Envelope) -> None:
        session.execute(
            text("INSERT INTO mark (organization_id, aggregate_id, number) VALUES (:org, :aggregate, :number)"),
            {"org": session.organization_id, "aggregate": envelope.aggregate_id, "number": message.number},
        )
        if failures.get(message.number):
            raise failures[message.number].pop(0)

    return handlers


@pytest.fixture(scope="session")
def databases(make_database: Callable[[str, Path], Database]) -> tuple[Database, Database]:
    """The producer's and the consumer's database."""
    return make_database("producer", MIGRATIONS), make_database("consumer", MIGRATIONS)


@pytest.fixture
def clean_databases(databases: tuple[Database, Database]) -> tuple[Database, Database]:
    """The same, empty."""
    for database in databases:
        with database.system_session() as session:
            for table in ("outbox", "inbox", "dead_letter", "mark"):
                session.execute(text(f"DELETE FROM {table}"))
            session.commit()
    return databases


@contextmanager
def make_rig(databases: tuple[Database, Database], prefix: str, amqp_url: str | None) -> Iterator[Rig]:
    producer, consumer_database = databases
    failures: dict[int, list[Exception]] = {}
    handlers = make_handlers(failures)
    consumer = Consumer("listener", consumer_database, handlers)
    topology = Topology({"listener": ["producer.counted.*"], "idler": []}, prefix=prefix, tiers=TIERS)
    transport: Transport
    if amqp_url:
        transport = RabbitTransport(amqp_url, topology)
    else:
        transport = LocalTransport({"listener": consumer}, topology.subscriptions, retry_delays=tuple(TIERS.values()))
    rig = Rig(producer, consumer_database, transport, consumer, handlers, topology, amqp_url, failures)
    try:
        yield rig
    finally:
        rig.finish()
        transport.close()
        if amqp_url:
            connection = BrokerConnection(amqp_url)
            topology.delete(connection.channel())
            connection.drop()


@pytest.fixture(params=["local", "rabbit"])
def rig(request: pytest.FixtureRequest, clean_databases: tuple[Database, Database], amqp_prefix: str) -> Iterator[Rig]:
    """Everything the conformance suite runs on, once per transport."""
    url = request.getfixturevalue("amqp_url") if request.param == "rabbit" else None
    with make_rig(clean_databases, amqp_prefix, url) as rig:
        yield rig


@pytest.fixture
def rabbit_rig(clean_databases: tuple[Database, Database], amqp_prefix: str, amqp_url: str) -> Iterator[Rig]:
    """RabbitMQ only, for what only a broker can do."""
    with make_rig(clean_databases, amqp_prefix, amqp_url) as rig:
        yield rig
