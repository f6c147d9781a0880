"""How many messages wait in a service's queues: asked of the broker by passive declaration."""

from __future__ import annotations

from collections.abc import Mapping

from common.messaging.broker import CONNECTION_ERRORS, BrokerConnection
from common.messaging.topology import Topology


class QueueDepth:
    """Keeps one connection of its own; for one thread."""

    def __init__(self, url: str, topology: Topology, service: str) -> None:
        self._url = url
        retries = {f"retry.{tier}": topology.retry_queue(service, place) for place, tier in enumerate(topology.tiers)}
        self._queues = {"events": topology.queue(service), "dead": topology.dead_queue(service), **retries}
        self._connection: BrokerConnection | None = None

    def __call__(self) -> Mapping[str, int] | None:
        """Messages ready, by kind of queue (``events``, ``dead``, ``retry.5s``, …); None while the broker is away."""
        try:
            if self._connection is None:
                self._connection = BrokerConnection(self._url, heartbeat=0)
            channel = self._connection.channel()
            try:
                return {kind: channel.queue_declare(name, passive=True)[1] for kind, name in self._queues.items()}
            finally:
                channel.close()
        except CONNECTION_ERRORS:
            self.close()
            return None

    def close(self) -> None:
        """Drop the connection; the next question makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
