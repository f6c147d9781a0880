"""Publisher confirms by delivery tag: each message gets its own answer, whatever order the broker answers in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from amqp.basic_message import Message as AmqpMessage

from common.messaging.confirms import ConfirmingPublisher
from common.messaging.transport import Delivery

ACCEPTED, REFUSED, DOWN = Delivery.ACCEPTED, Delivery.REFUSED, Delivery.DOWN


class ScriptedChannel:
    """Stands in for a channel: plays the broker's answers one by one when the publisher waits."""

    def __init__(self, *answers: Callable[[ScriptedChannel], None]) -> None:
        self.events: dict[str, set[Any]] = defaultdict(set)
        self.answers = list(answers)
        self.connection = self.transport = self.sock = self

    def confirm_select(self) -> None:
        pass

    def setsockopt(self, *_option: int) -> None:
        pass

    def send_method(self, *_arguments: Any) -> None:
        pass

    def drain_events(self, timeout: float) -> None:
        if not self.answers:
            raise TimeoutError("the broker is silent")
        self.answers.pop(0)(self)

    def say(self, event: str, *arguments: Any) -> None:
        for callback in self.events[event]:
            callback(*arguments)


def ack(tag: int, multiple: bool = False) -> Callable[[ScriptedChannel], None]:
    return lambda channel: channel.say("basic_ack", tag, multiple)


def nack(tag: int, multiple: bool = False) -> Callable[[ScriptedChannel], None]:
    return lambda channel: channel.say("basic_nack", tag, multiple)


def send_back(message_id: str) -> Callable[[ScriptedChannel], None]:
    message = AmqpMessage(b"", message_id=message_id)
    return lambda channel: channel.say("basic_return", ValueError("NO_ROUTE"), "", "nowhere", message)


def publish(channel: ScriptedChannel, count: int) -> tuple[list[Delivery], ConfirmingPublisher]:
    publisher = ConfirmingPublisher(channel, timeout=5)  # type: ignore[arg-type]
    messages = [("key", AmqpMessage(b"", message_id=f"m{number}")) for number in range(1, count + 1)]
    return [answer.delivery for answer in publisher.publish("exchange", messages)], publisher


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([ack(1), ack(2), ack(3)], [ACCEPTED, ACCEPTED, ACCEPTED]),
        ([ack(3, multiple=True)], [ACCEPTED, ACCEPTED, ACCEPTED]),
        ([ack(2), ack(3, multiple=True)], [ACCEPTED, ACCEPTED, ACCEPTED]),
        ([ack(3), nack(2, multiple=True)], [REFUSED, REFUSED, ACCEPTED]),
        ([nack(1), ack(3, multiple=True)], [REFUSED, ACCEPTED, ACCEPTED]),
        ([send_back("m2"), ack(3, multiple=True)], [ACCEPTED, REFUSED, ACCEPTED]),
    ],
)
def test_each_message_gets_its_own_answer(
    answers: list[Callable[[ScriptedChannel], None]], expected: list[Delivery]
) -> None:
    deliveries, publisher = publish(ScriptedChannel(*answers), 3)
    assert deliveries == expected
    assert publisher.broken is None


def test_what_is_unconfirmed_when_the_connection_breaks_is_nobodys_success() -> None:
    deliveries, publisher = publish(ScriptedChannel(ack(2)), 3)
    assert deliveries == [DOWN, ACCEPTED, DOWN]
    assert publisher.broken


def test_tags_go_on_counting_over_several_publishes() -> None:
    channel = ScriptedChannel(ack(1))
    _, publisher = publish(channel, 1)
    channel.answers = [nack(2)]
    (answer,) = publisher.publish("exchange", [("key", AmqpMessage(b""))])
    assert answer.delivery is REFUSED
