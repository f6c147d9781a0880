"""What stands in RabbitMQ: exchanges and queues of all services, declared idempotently by everybody who connects.

Everyone declares everything, so that no event is lost because its consumer has never been started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from amqp import Channel

from common.messaging.subscriptions import Subscriptions

DEFAULT_TIERS: Mapping[str, float] = MappingProxyType({"5s": 5.0, "1m": 60.0, "10m": 600.0, "1h": 3600.0})

# A message that a consumer dies on comes back this often before the broker moves it to the dead-letter queue.
DELIVERY_LIMIT = 20

# A full queue refuses messages (the relay keeps them in the outbox), and a message leaves a queue for its dead-letter
# target only when that has confirmed it.
_SAFE = {
    "x-queue-type": "quorum",
    "x-overflow": "reject-publish",
    "x-dead-letter-strategy": "at-least-once",
}


@dataclass(frozen=True)
class Topology:
    """Names and arguments of everything declared. ``prefix`` keeps tests apart; ``tiers`` maps names to seconds."""

    subscriptions: Subscriptions
    prefix: str = ""
    tiers: Mapping[str, float] = field(default_factory=lambda: DEFAULT_TIERS)
    delivery_limit: int = DELIVERY_LIMIT
    max_length: int = 1_000_000
    unrouted_length: int = 10_000

    @property
    def exchange(self) -> str:
        """The topic exchange of all events."""
        return f"{self.prefix}deskledger.events"

    @property
    def unrouted(self) -> str:
        """Alternate exchange and capped queue of events that nobody listens to."""
        return f"{self.prefix}deskledger.unrouted"

    @property
    def dead_letter_exchange(self) -> str:
        """Where the broker moves messages that a consumer keeps dying on."""
        return f"{self.prefix}deskledger.dead"

    def queue(self, service: str) -> str:
        """The service's queue."""
        return f"{self.prefix}{service}.events"

    def dead_queue(self, service: str) -> str:
        """The service's dead-letter queue; its consumer turns it into `dead_letter` rows."""
        return f"{self.queue(service)}.dead"

    def retry_queue(self, service: str, attempt: int) -> str:
        """The waiting room after failed attempt number ``attempt`` (from 0)."""
        names = list(self.tiers)
        return f"{self.queue(service)}.retry.{names[min(attempt, len(names) - 1)]}"

    @property
    def attempts(self) -> int:
        """How often a message is tried: once, and once after each tier."""
        return len(self.tiers) + 1

    def declare(self, channel: Channel) -> None:
        """Declare everything for all services; raises amqp's PreconditionFailed when the broker's copy differs."""
        channel.exchange_declare(self.unrouted, "fanout", durable=True, auto_delete=False)
        channel.exchange_declare(self.dead_letter_exchange, "direct", durable=True, auto_delete=False)
        channel.exchange_declare(
            self.exchange, "topic", durable=True, auto_delete=False, arguments={"alternate-exchange": self.unrouted}
        )
        _declare_queue(channel, self.unrouted, {"x-max-length": self.unrouted_length, "x-overflow": "drop-head"})
        channel.queue_bind(self.unrouted, self.unrouted)
        for service, routing_keys in self.subscriptions.items():
            self._declare_service(channel, service, routing_keys)

    def delete(self, channel: Channel) -> None:
        """Take everything away again (tests and benchmarks)."""
        for service in self.subscriptions:
            for attempt in range(len(self.tiers)):
                channel.queue_delete(self.retry_queue(service, attempt))
            channel.queue_delete(self.queue(service))
            channel.queue_delete(self.dead_queue(service))
        channel.queue_delete(self.unrouted)
        for exchange in (self.exchange, self.dead_letter_exchange, self.unrouted):
            channel.exchange_delete(exchange)

    def _declare_service(self, channel: Channel, service: str, routing_keys: Sequence[str]) -> None:
        queue, dead = self.queue(service), self.dead_queue(service)
        _declare_queue(channel, dead, {"x-queue-type": "quorum"})
        channel.queue_bind(dead, self.dead_letter_exchange, dead)
        _declare_queue(
            channel,
            queue,
            {
                **_SAFE,
                "x-delivery-limit": self.delivery_limit,
                "x-max-length": self.max_length,
                "x-dead-letter-exchange": self.dead_letter_exchange,
                "x-dead-letter-routing-key": dead,
            },
        )
        self._declare_tiers(channel, service)
        for routing_key in routing_keys:
            channel.queue_bind(queue, self.exchange, routing_key)

    def _declare_tiers(self, channel: Channel, service: str) -> None:
        """Waiting rooms whose time to live leads back to this service's queue alone (by the default exchange)."""
        for attempt, seconds in enumerate(self.tiers.values()):
            _declare_queue(
                channel,
                self.retry_queue(service, attempt),
                {
                    **_SAFE,
                    "x-max-length": self.max_length,
                    "x-message-ttl": round(seconds * 1000),
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": self.queue(service),
                },
            )


def _declare_queue(channel: Channel, name: str, arguments: dict[str, Any]) -> None:
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
