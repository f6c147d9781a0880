"""Publisher confirms, tracked by delivery tag over one channel.

py-amqp's own `confirm_publish` waits for *the next* ack, whichever message it belongs to, and one message at a time;
here many messages are under way at once and each gets its own answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from amqp import Channel, spec
from amqp.basic_message import Message as AmqpMessage

from common.messaging.broker import CONNECTION_ERRORS, gathered
from common.messaging.transport import ACCEPTED, Delivery, Published

_NACKED = Published(Delivery.REFUSED, "the broker refused the message (queue full)")


class ConfirmingPublisher:
    """Publishes on a channel in confirm mode. After any failure the connection must be dropped: see `broken`."""

    def __init__(self, channel: Channel, *, timeout: float = 30.0) -> None:
        self._channel = channel
        self._socket = channel.connection.transport.sock
        self._timeout = timeout
        self._last_tag = 0
        self._settled: dict[int, Published] = {}
        self._open: dict[int, str] = {}
        self._returned: dict[str, str] = {}
        self.broken: str | None = None
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        channel.confirm_select()

    def publish(self, exchange: str, messages: Sequence[tuple[str, AmqpMessage]]) -> list[Published]:
        """Publish (routing key, message) pairs in a row, then wait for every confirm; one answer per message.

        Does not raise when the connection breaks: what is unconfirmed then is answered DOWN, and `broken` is set.
        """
        self._settled.clear()
        self._returned.clear()
        first = self._last_tag + 1
        try:
            with gathered(self._socket):
                for routing_key, message in messages:
                    self._send(exchange, routing_key, message)
            self._wait()
        except CONNECTION_ERRORS as error:
            self.broken = f"{type(error).__name__}: {error}"
        lost = Published(Delivery.DOWN, self.broken or "no confirm")
        return [self._settled.get(tag, lost) for tag in range(first, first + len(messages))]

    def _send(self, exchange: str, routing_key: str, message: AmqpMessage) -> None:
        self._last_tag += 1
        self._open[self._last_tag] = message.properties.get("message_id", "")
        # Not basic_publish: that asks the socket for news before each message, a third of the cost.
        self._channel.send_method(spec.Basic.Publish, "Bssbb", (0, exchange, routing_key, True, False), message)

    def _wait(self) -> None:
        deadline = monotonic() + self._timeout
        while self._open:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(self._open)} messages unconfirmed after {self._timeout:.0f} s")
            self._channel.connection.drain_events(timeout=left)

    def _settle(self, tag: int, multiple: bool, answer: Published) -> None:
        # Tags are handed out in order, so the open ones stand in order.
        tags = [open_tag for open_tag in self._open if open_tag <= tag] if multiple else [tag]
        for settled in tags:
            message_id = self._open.pop(settled, None)
            if message_id is not None:
                self._settled[settled] = self._unroutable(message_id) or answer

    def _unroutable(self, message_id: str) -> Published | None:
        # The broker sends the return before the ack of the same message.
        reason = self._returned.pop(message_id, None)
        return Published(Delivery.REFUSED, reason) if reason else None

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple, ACCEPTED)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple, _NACKED)

    def _on_return(self, error: Exception, _exchange: str, routing_key: str, message: AmqpMessage) -> None:
        self._returned[message.properties.get("message_id", "")] = f"no queue for {routing_key!r}: {error}"
