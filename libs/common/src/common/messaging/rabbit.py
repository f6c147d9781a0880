"""RabbitMQ's half of messaging in one import; the standalone suite does without and loads neither kombu nor amqp."""

from common.messaging.rabbit_consumer import RabbitConsumerLoop
from common.messaging.rabbit_transport import RabbitTransport
from common.messaging.topology import Topology

__all__ = ["RabbitConsumerLoop", "RabbitTransport", "Topology"]
