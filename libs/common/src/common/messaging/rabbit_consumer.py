"""The consumer loop on RabbitMQ: one connection, one channel, batches of what has arrived.

Not kombu's `ConsumerMixin`: that one dies on a handler's exception and silently acks what it cannot decode.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import uniform
from threading import Event
from time import monotonic

import structlog
from amqp import Channel
from amqp.basic_message import Message as AmqpMessage
from sqlalchemy.exc import DBAPIError

from common.messaging.amqp_envelope import UndecodableError, as_found, from_amqp, to_amqp
from common.messaging.broker import CONNECTION_ERRORS, BrokerConnection
from common.messaging.confirms import ConfirmingPublisher
from common.messaging.consumer import Consumer, Outcome, Result
from common.messaging.failures import DatabaseDownError, describe
from common.messaging.message import Envelope
from common.messaging.topology import Topology
from common.messaging.transport import Delivery

log = structlog.get_logger(__name__)

_SLICE = 1.0
_LONGEST_BACKOFF = 30.0


class RetryRefusedError(Exception):
    """The broker did not take the copy for a retry tier; the message must not be acked."""


class RabbitConsumerLoop:
    """Feeds a consumer from its service's queue. ``prefetch`` is also the largest batch, handled in one transaction.

    Messages that the broker gave up (delivery limit) are taken from the dead-letter queue into dead letters as well.
    """

    def __init__(self, url: str, topology: Topology, consumer: Consumer, *, prefetch: int = 100) -> None:
        self.url = url
        self.topology = topology
        self.consumer = consumer
        self.prefetch = prefetch
        self.consuming = Event()
        self._queue = topology.queue(consumer.name)
        self._dead_queue = topology.dead_queue(consumer.name)

    def run(self, stop: Event) -> None:
        """Body of the consumer's thread: works until ``stop`` and comes back from every loss of broker or database.

        On ``stop`` the running batch is finished, and the broker redelivers what else had arrived.
        """
        failures = 0
        while not stop.is_set():
            started = monotonic()
            try:
                self._connect_and_work(stop)
            except (*CONNECTION_ERRORS, DBAPIError, RetryRefusedError) as error:
                failures = 1 if monotonic() - started > 2 * _LONGEST_BACKOFF else failures + 1
                pause = min(_LONGEST_BACKOFF, 0.25 * 2**failures) * uniform(0.5, 1)  # noqa: S311 - jitter
                log.warning(
                    "consumer_interrupted", consumer=self.consumer.name, error=describe(error), pause=round(pause, 2)
                )
                stop.wait(pause)

    def _connect_and_work(self, stop: Event) -> None:
        connection = BrokerConnection(self.url)
        try:
            channel = connection.channel()
            self.topology.declare(channel)
            session = _Session(self, connection, channel, stop)
            self.consuming.set()
            log.info("consumer_ready", consumer=self.consumer.name, queue=self._queue)
            session.work()
        finally:
            self.consuming.clear()
            connection.drop()

    @property
    def queues(self) -> tuple[str, str]:
        """The service's queue and its dead-letter queue."""
        return self._queue, self._dead_queue


class _Session:
    """The loop on one connection."""

    def __init__(self, loop: RabbitConsumerLoop, connection: BrokerConnection, channel: Channel, stop: Event) -> None:
        self._consumer = loop.consumer
        self._topology = loop.topology
        self._prefetch = loop.prefetch
        self._connection = connection
        self._channel = channel
        self._stop = stop
        self._arrived: deque[AmqpMessage] = deque()
        self._heartbeat_at = monotonic()
        channel.auto_decode = False
        channel.basic_qos(0, self._prefetch, False)
        self._publisher = ConfirmingPublisher(channel)
        queue, self._dead_queue = loop.queues
        channel.basic_consume(queue, callback=self._arrived.append)
        channel.basic_consume(self._dead_queue, consumer_tag=self._dead_queue, callback=self._arrived.append)

    def work(self) -> None:
        """Until told to stop; raises what `CONNECTION_ERRORS` lists, DBAPIError and RetryRefusedError."""
        while not self._stop.is_set():
            self._gather()
            while self._arrived and not self._stop.is_set():
                self._handle([self._arrived.popleft() for _ in range(min(self._prefetch, len(self._arrived)))])
                self._beat()

    def _gather(self) -> None:
        """Wait for a message, then take in what else has arrived already."""
        self._connection.take_in(_SLICE, lambda: len(self._arrived) >= self._prefetch)
        self._beat()

    def _beat(self) -> None:
        if monotonic() - self._heartbeat_at >= _SLICE:
            self._heartbeat_at = monotonic()
            self._connection.beat()

    def _handle(self, messages: Sequence[AmqpMessage]) -> None:
        batch: list[tuple[AmqpMessage, Envelope]] = []
        for message in messages:
            # What the process died on last time may kill it again: alone, it takes no innocent messages along.
            if message.delivery_info["redelivered"] or self._is_dead(message):
                self._handle_batch(batch)
                self._handle_alone(message)
                batch = []
            elif envelope := self._decoded(message):
                batch.append((message, envelope))
        self._handle_batch(batch)

    def _handle_alone(self, message: AmqpMessage) -> None:
        envelope = self._decoded(message)
        if envelope is None:
            return
        if self._is_dead(message):
            self._bury(message, envelope, "the broker gave up: consumers died on it")
        else:
            self._handle_batch([(message, envelope)])

    def _decoded(self, message: AmqpMessage) -> Envelope | None:
        """The envelope; what cannot be decoded becomes a dead letter and is acked."""
        try:
            return from_amqp(message)
        except UndecodableError as error:
            self._bury(message, as_found(message, self._consumer.database.clock.now()), describe(error))
            return None

    def _bury(self, message: AmqpMessage, envelope: Envelope, reason: str) -> None:
        if self._patiently(lambda: self._consumer.bury(envelope, reason)):
            self._channel.basic_ack(message.delivery_tag)

    def _handle_batch(self, batch: Sequence[tuple[AmqpMessage, Envelope]]) -> None:
        if not batch:
            return
        envelopes = [envelope for _, envelope in batch]
        outcomes: list[Outcome] = []

        def handle() -> None:
            outcomes[:] = self._consumer.handle_batch(envelopes, attempts=self._topology.attempts)

        if not self._patiently(handle):
            return
        self._put_off([e for e, outcome in zip(envelopes, outcomes, strict=True) if outcome.result is Result.RETRY])
        # Messages are settled in the order of their tags, so this covers none that is still open.
        self._channel.basic_ack(batch[-1][0].delivery_tag, multiple=True)

    def _put_off(self, envelopes: Sequence[Envelope]) -> None:
        """Copy messages to their next retry tier, confirmed; the caller acks afterwards."""
        if not envelopes:
            return
        copies = [(self._topology.retry_queue(self._consumer.name, e.attempt), to_amqp(e.retried())) for e in envelopes]
        for answer in self._publisher.publish("", copies):
            if answer.delivery is not Delivery.ACCEPTED:
                raise RetryRefusedError(answer.error or "no confirm")

    def _patiently(self, action: Callable[[], None]) -> bool:
        """Do it as soon as the database answers; meanwhile the connection is kept alive. False: told to stop first."""
        while not self._stop.is_set():
            try:
                action()
            except DatabaseDownError as error:
                log.warning("database_down", consumer=self._consumer.name, error=describe(error))
                self._idle()
            else:
                return True
        return False

    def _idle(self) -> None:
        if self._connection.wait(_SLICE):
            self._stop.wait(_SLICE)
        self._beat()

    def _is_dead(self, message: AmqpMessage) -> bool:
        return bool(message.delivery_info["consumer_tag"] == self._dead_queue)
