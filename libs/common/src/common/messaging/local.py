"""The transport without a broker: messages go straight to the consumers of this process, durable through the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

from common.messaging.consumer import Consumer, Outcome, Result
from common.messaging.failures import DatabaseDownError, describe
from common.messaging.message import Envelope
from common.messaging.subscriptions import Subscriptions, subscribers
from common.messaging.transport import ACCEPTED, Delivery, Published

DEFAULT_DELAYS = (0.2, 1.0, 5.0, 60.0, 600.0, 3600.0)


class LocalTransport:
    """Accepts a message when every subscriber here has committed it (or buried it).

    A transient failure refuses the message, and the relay brings it again by its backoff; subscribers that had
    committed drop it as a duplicate then. Order per aggregate holds: later messages wait behind a refused one.
    """

    # All of it is handled before the next one is taken, and others wait as long.
    batch = 60

    def __init__(
        self,
        consumers: Mapping[str, Consumer],
        subscriptions: Subscriptions,
        *,
        retry_delays: Sequence[float] = DEFAULT_DELAYS,
    ) -> None:
        self.consumers = dict(consumers)
        self.subscriptions = subscriptions
        self.retry_delays = retry_delays
        # Several services' relays share the consumers; one at a time keeps them from racing each other.
        self._locks = {name: Lock() for name in self.consumers}

    def publish(self, envelopes: Sequence[Envelope]) -> list[Published]:
        """Hand messages to all their subscribers."""
        answers = [ACCEPTED] * len(envelopes)
        for service in self.consumers:
            self._hand_over(service, envelopes, answers)
        return answers

    def send_to(self, service: str, envelopes: Sequence[Envelope]) -> list[Published]:
        """Hand messages to one subscriber."""
        answers = [ACCEPTED] * len(envelopes)
        self._hand_over(service, envelopes, answers)
        return answers

    def subscribes(self, service: str, routing_key: str) -> bool:
        """Whether a service listens to a key."""
        return service in subscribers(self.subscriptions, routing_key)

    def keep_alive(self) -> None:
        """Nothing to keep."""

    def close(self) -> None:
        """Nothing to close."""

    def _hand_over(self, service: str, envelopes: Sequence[Envelope], answers: list[Published]) -> None:
        """Let one service handle what is meant for it; what it does not accept overwrites the answer."""
        places = [place for place, e in enumerate(envelopes) if self.subscribes(service, e.routing_key)]
        if not places:
            return
        try:
            with self._locks[service]:
                outcomes = self.consumers[service].handle_batch(
                    [envelopes[place] for place in places], attempts=len(self.retry_delays) + 1, in_order=True
                )
        except DatabaseDownError as error:
            for place in places:
                answers[place] = Published(Delivery.DOWN, describe(error))
            return
        for place, outcome in zip(places, outcomes, strict=True):
            answers[place] = _worse(answers[place], outcome)


def _worse(answer: Published, outcome: Outcome) -> Published:
    if answer.delivery is Delivery.DOWN:
        return answer
    if outcome.result is Result.RETRY:
        return Published(Delivery.REFUSED, outcome.error)
    if outcome.result is Result.HELD and answer.delivery is Delivery.ACCEPTED:
        return Published(Delivery.HELD, outcome.error)
    return answer
