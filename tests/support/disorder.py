"""A transport that delivers every message twice, late and in no order at all."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Mapping, Sequence
from itertools import count

from common.messaging import Consumer, Envelope, Published, Result
from common.messaging.subscriptions import Subscriptions, subscribers
from common.messaging.transport import ACCEPTED

COPIES = 2


class DisorderTransport:
    """Accepts at once, like a broker, and hands each message to each subscriber twice after a random delay."""

    retry_delays = (0.1,)
    batch = 300

    def __init__(self, consumers: Mapping[str, Consumer], subscriptions: Subscriptions, *, seed: int) -> None:
        self._consumers, self._subscriptions = consumers, subscriptions
        self._random = random.Random(seed)
        self._heap: list[tuple[float, int, str, Envelope]] = []
        self._condition = threading.Condition()
        self._order = count()
        self.deliveries = 0
        for number in range(3):
            threading.Thread(target=self._deliver, name=f"disorder-{number}", daemon=True).start()

    def publish(self, envelopes: Sequence[Envelope]) -> list[Published]:
        """Take the messages; they arrive some time."""
        for envelope in envelopes:
            for service in subscribers(self._subscriptions, envelope.routing_key):
                for _ in range(COPIES):
                    self._put(service, envelope, self._random.uniform(0, 0.12))
        return [ACCEPTED] * len(envelopes)

    def send_to(self, service: str, envelopes: Sequence[Envelope]) -> list[Published]:
        """The same, to one subscriber."""
        for envelope in envelopes:
            self._put(service, envelope, 0.0)
        return [ACCEPTED] * len(envelopes)

    def subscribes(self, service: str, routing_key: str) -> bool:
        """Whether a service listens to a key."""
        return service in subscribers(self._subscriptions, routing_key)

    def keep_alive(self) -> None:
        """Nothing to keep."""

    def close(self) -> None:
        """Nothing to close."""

    def _put(self, service: str, envelope: Envelope, delay: float) -> None:
        with self._condition:
            heapq.heappush(self._heap, (time.monotonic() + delay, next(self._order), service, envelope))
            self._condition.notify()

    def _take(self) -> tuple[str, Envelope]:
        with self._condition:
            while not self._heap or self._heap[0][0] > time.monotonic():
                self._condition.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
            _, _, service, envelope = heapq.heappop(self._heap)
            self.deliveries += 1
            return service, envelope

    def _deliver(self) -> None:
        while True:
            service, envelope = self._take()
            if self._consumers[service].handle(envelope).result is Result.RETRY:
                self._put(service, envelope.retried(), 0.1)
