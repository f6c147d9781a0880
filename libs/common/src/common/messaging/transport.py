"""The port between relay and broker: RabbitMQ and the local hand-over are its two adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from common.messaging.message import Envelope


class Delivery(Enum):
    """What the transport did with a message."""

    ACCEPTED = "accepted"  # it is safe on the other side
    REFUSED = "refused"  # this message failed: its own backoff counts
    HELD = "held"  # untried, behind a refused message of its aggregate
    DOWN = "down"  # the other side is unreachable, no message is to blame; it may have arrived


@dataclass(frozen=True, slots=True)
class Published:
    """The transport's answer for one message."""

    delivery: Delivery
    error: str | None = None


ACCEPTED = Published(Delivery.ACCEPTED)


class Transport(Protocol):
    """Carries messages to their subscribers."""

    retry_delays: Sequence[float]
    """Seconds to wait after a message's first, second, … refusal; the last one repeats."""

    batch: int
    """How many messages a relay had best hand over at once."""

    def publish(self, envelopes: Sequence[Envelope]) -> list[Published]:
        """Hand messages over in order and wait for all answers; one answer per envelope. Does not raise when down."""
        ...

    def send_to(self, service: str, envelopes: Sequence[Envelope]) -> list[Published]:
        """The same, to one subscriber only (resending)."""
        ...

    def subscribes(self, service: str, routing_key: str) -> bool:
        """Whether a service listens to a key."""
        ...

    def keep_alive(self) -> None:
        """Called about once a second by an idle relay (heartbeats)."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
