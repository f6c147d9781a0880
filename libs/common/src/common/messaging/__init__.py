"""Messages between services: outbox, relay, transports, consumers, dead letters (ARCHITECTURE section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.messaging import deadletters, outbox
from common.messaging.consumer import Consumer, Outcome, Result
from common.messaging.handlers import Handlers
from common.messaging.local import LocalTransport
from common.messaging.message import Envelope, Message
from common.messaging.relay import Relay, TransportDownError
from common.messaging.resending import resend
from common.messaging.retention import Purged, purge
from common.messaging.transport import Delivery, Published, Transport

if TYPE_CHECKING:
    from common.messaging.rabbit import RabbitConsumerLoop, RabbitTransport, Topology

__all__ = [
    "Consumer",
    "Delivery",
    "Envelope",
    "Handlers",
    "LocalTransport",
    "Message",
    "Outcome",
    "Published",
    "Purged",
    "RabbitConsumerLoop",
    "RabbitTransport",
    "Relay",
    "Result",
    "Topology",
    "Transport",
    "TransportDownError",
    "deadletters",
    "outbox",
    "purge",
    "resend",
]


def __getattr__(name: str) -> Any:
    """Load RabbitMQ's half when it is asked for."""
    if name in ("RabbitConsumerLoop", "RabbitTransport", "Topology"):
        from common.messaging import rabbit

        return getattr(rabbit, name)
    raise AttributeError(name)
