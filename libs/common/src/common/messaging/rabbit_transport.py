"""The relay's way to RabbitMQ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog
from amqp.basic_message import Message as AmqpMessage

from common.messaging.amqp_envelope import to_amqp
from common.messaging.broker import CONNECTION_ERRORS, BrokerConnection
from common.messaging.confirms import ConfirmingPublisher
from common.messaging.message import Envelope
from common.messaging.subscriptions import subscribers
from common.messaging.topology import Topology
from common.messaging.transport import Delivery, Published

log = structlog.get_logger(__name__)

DEFAULT_DELAYS = (1.0, 5.0, 30.0, 60.0)


class RabbitTransport:
    """Publishes pipelined with confirms; connects when needed, and anew after any publishing error.

    For one thread. ``confirm_timeout`` is in seconds.
    """

    batch = 300

    def __init__(
        self,
        url: str,
        topology: Topology,
        *,
        retry_delays: Sequence[float] = DEFAULT_DELAYS,
        confirm_timeout: float = 30.0,
    ) -> None:
        self.url = url
        self.topology = topology
        self.retry_delays = retry_delays
        self._confirm_timeout = confirm_timeout
        self._connection: BrokerConnection | None = None
        self._publisher: ConfirmingPublisher | None = None

    def publish(self, envelopes: Sequence[Envelope]) -> list[Published]:
        """Publish to the topic exchange."""
        return self._publish(
            self.topology.exchange, [(envelope.routing_key, to_amqp(_first(envelope))) for envelope in envelopes]
        )

    def send_to(self, service: str, envelopes: Sequence[Envelope]) -> list[Published]:
        """Publish straight into one service's queue."""
        queue = self.topology.queue(service)
        return self._publish("", [(queue, to_amqp(_first(envelope))) for envelope in envelopes])

    def subscribes(self, service: str, routing_key: str) -> bool:
        """Whether a service listens to a key."""
        return service in subscribers(self.topology.subscriptions, routing_key)

    def keep_alive(self) -> None:
        """Send and check heartbeats; a dead connection is dropped."""
        if self._connection is None:
            return
        try:
            self._connection.beat()
            while self._connection.wait(0.001):
                pass
        except CONNECTION_ERRORS as error:
            log.info("broker_connection_lost", error=str(error))
            self.close()

    def close(self) -> None:
        """Drop the connection; the next publish makes another."""
        connection, self._connection, self._publisher = self._connection, None, None
        if connection is not None:
            connection.drop()

    def _publish(self, exchange: str, messages: Sequence[tuple[str, AmqpMessage]]) -> list[Published]:
        try:
            publisher = self._connected()
        except CONNECTION_ERRORS as error:
            self.close()
            return [Published(Delivery.DOWN, f"{type(error).__name__}: {error}")] * len(messages)
        answers = publisher.publish(exchange, messages)
        if publisher.broken:
            log.warning("publishing_failed", error=publisher.broken)
            self.close()
        return answers

    def _connected(self) -> ConfirmingPublisher:
        if self._publisher is None:
            self._connection = BrokerConnection(self.url)
            channel = self._connection.channel()
            self.topology.declare(channel)
            self._publisher = ConfirmingPublisher(channel, timeout=self._confirm_timeout)
        return self._publisher


def _first(envelope: Envelope) -> Envelope:
    """Refusals by the broker are the relay's to count; a consumer's attempts start at none."""
    return envelope if envelope.attempt == 0 else replace(envelope, attempt=0)
