"""Messages between services: outbox, relay, transports, consumers, dead letters (ARCHITECTURE section 4)."""

from common.messaging import deadletters, outbox
from common.messaging.consumer import Consumer, Outcome, Result
from common.messaging.handlers import Handlers
from common.messaging.local import LocalTransport
from common.messaging.message import Envelope, Message
from common.messaging.rabbit_consumer import RabbitConsumerLoop
from common.messaging.rabbit_transport import RabbitTransport
from common.messaging.relay import Relay, TransportDownError
from common.messaging.resending import resend
from common.messaging.retention import Purged, purge
from common.messaging.topology import Topology
from common.messaging.transport import Delivery, Published, Transport

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
