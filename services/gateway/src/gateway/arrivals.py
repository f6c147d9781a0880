"""Reading one's own writes: an answer leaves when what it announced has arrived everywhere.

A service names the messages that a request wrote. The gateway looks for them in the inboxes of all subscribers, then
for the messages that those wrote because of them, and so on down the tree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog

from common.errors import DomainError
from contracts.subscriptions import subscribers
from gateway.settlement import SettlementReports

logger = structlog.get_logger(__name__)
LAGGING_SECONDS = 30.0
# What a service that lags gets of every wait; when it has caught up within that, it lags no more.
_LAGGING_PATIENCE = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.002, 0.05, 1.5


class Arrivals:
    """Waits for messages. A service that is late once does not slow every following write: it is let be for a while."""

    def __init__(
        self,
        reports: SettlementReports,
        *,
        listeners: Callable[[str], Sequence[str]] = subscribers,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reports = reports
        self._listeners = listeners
        self._monotonic, self._sleep = monotonic, sleep
        self._lagging: dict[str, float] = {}

    def wait(self, announced: str, seconds: float) -> bool:
        """Wait at most ``seconds`` for ``<id>:<routing key>,…`` and all that it causes; tells whether all arrived."""
        tree = _Tree(self._reports, self._listeners)
        tree.add(pair.partition(":")[::2] for pair in announced.split(",") if ":" in pair)
        started, pause, unreachable = self._monotonic(), _FIRST_PAUSE, set[str]()
        while tree.awaited:
            self._sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
            unreachable |= tree.look()
            waited = self._monotonic() - started
            if waited >= seconds:
                self._remember_lagging(tree.awaited)
                return False
            if waited >= _LAGGING_PATIENCE:
                unreachable |= tree.give_up(self._now_lagging())
            self._forget_lagging(tree.done)
        return not unreachable

    def _now_lagging(self) -> set[str]:
        now = self._monotonic()
        return {name for name, until in self._lagging.items() if now < until}

    def _remember_lagging(self, names: Iterable[str]) -> None:
        late = sorted(names)
        logger.warning("messages_late", services=late)
        for name in late:
            self._lagging[name] = self._monotonic() + LAGGING_SECONDS

    def _forget_lagging(self, names: Iterable[str]) -> None:
        for name in names:
            self._lagging.pop(name, None)


class _Tree:
    """The messages that are still on their way, by the service that has to receive them."""

    def __init__(self, reports: SettlementReports, listeners: Callable[[str], Sequence[str]]) -> None:
        self._reports, self._listeners = reports, listeners
        self.awaited: dict[str, set[str]] = {}
        self.done: set[str] = set()
        self._seen: set[str] = set()
        self._left: set[str] = set()

    def add(self, messages: Iterable[Sequence[str]]) -> None:
        """Await (id, routing key) at all its subscribers."""
        for message_id, routing_key in messages:
            if message_id in self._seen:
                continue
            self._seen.add(message_id)
            for name in self._listeners(routing_key):
                if self._reports.knows(name) and name not in self._left:
                    self.awaited.setdefault(name, set()).add(message_id)

    def look(self) -> set[str]:
        """Ask every service that awaits something; returns those that cannot be asked and are left out from now on."""
        down = set()
        for name in list(self.awaited):
            try:
                self._ask(name)
            except DomainError:
                down.add(name)
        return down | self.give_up(down)

    def give_up(self, names: set[str]) -> set[str]:
        """Stop waiting for these; returns those that were waited for."""
        self._left |= names
        return {name for name in names if self.awaited.pop(name, None) is not None}

    def _ask(self, name: str) -> None:
        ids = sorted(self.awaited[name])
        # One report looks for arrivals first and for their consequences after, so nothing falls in between.
        report = self._reports.ask(name, {"expect": ids, "caused_by": ids})
        self.awaited[name].intersection_update(report["missing"])
        if not self.awaited[name]:
            del self.awaited[name]
            self.done.add(name)
        self.add(_pairs(report["caused"]))


def _pairs(messages: Iterable[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    return ((message["id"], message["routing_key"]) for message in messages)
