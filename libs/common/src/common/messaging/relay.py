"""The relay: carries committed outbox rows to the transport, in order, and marks what the other side has taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from random import uniform
from threading import Event
from time import monotonic
from typing import Any

import psycopg
import structlog
from psycopg import Connection
from sqlalchemy.exc import DBAPIError

from common.db.database import Database
from common.messaging import outbox_rows
from common.messaging.failures import describe
from common.messaging.metrics import (
    OUTBOX_LAG,
    OUTBOX_WAITING,
    PUBLISH_FAILURES,
    PUBLISHED,
    RELAY_LEADER,
)
from common.messaging.outbox_rows import OutboxRow
from common.messaging.transport import Delivery, Published, Transport

log = structlog.get_logger(__name__)

_SLICE = 1.0
_LONGEST_BACKOFF = 30.0
# After so many rounds without a pause, small batches are left to grow for a moment: half the work, unnoticed delay.
_STEADY = 3
_GATHER = 0.01


class TransportDownError(Exception):
    """The transport did not take a batch and no message is to blame."""


class Relay:
    """One service's relay; of several, the one that holds the database's advisory lock works.

    ``sweep`` is the seconds after which it looks without being notified, ``batch`` the rows per round.
    """

    def __init__(
        self, database: Database, transport: Transport, name: str, *, batch: int = 300, sweep: float = 5.0
    ) -> None:
        self.database = database
        self.transport = transport
        self.name = name
        self.batch = batch
        self.sweep = sweep
        self.leading = Event()

    def run(self, stop: Event) -> None:
        """Body of the relay's thread: works until ``stop`` and comes back from every loss of database or broker."""
        failures = 0
        while not stop.is_set():
            started = monotonic()
            try:
                self._lead_and_work(stop)
            except (DBAPIError, psycopg.Error, TransportDownError, OSError) as error:
                failures = 1 if monotonic() - started > 2 * _LONGEST_BACKOFF else failures + 1
                pause = min(_LONGEST_BACKOFF, 0.25 * 2**failures) * uniform(0.5, 1)  # noqa: S311 - jitter
                log.warning("relay_interrupted", relay=self.name, error=describe(error), pause=round(pause, 2))
                stop.wait(pause)
        self.transport.close()

    def run_once(self) -> int:
        """Publish one batch of due rows, leader or not; returns how many were published.

        Raises TransportDownError when the transport is unreachable.
        """
        pooled = self.database.engine.raw_connection()
        try:
            return self._publish_batch(_driver(pooled))[1]
        finally:
            pooled.close()

    def run_until_empty(self) -> int:
        """`run_once` until nothing is due any more; returns how many were published."""
        total = 0
        while published := self.run_once():
            total += published
        return total

    def _lead_and_work(self, stop: Event) -> None:
        with self._connection() as connection:
            try:
                while not stop.is_set() and not outbox_rows.try_to_lead(connection):
                    stop.wait(self.sweep)
                if not stop.is_set():
                    self._work(connection, stop)
            finally:
                self.leading.clear()
                RELAY_LEADER.labels(self.name).set(0)

    def _work(self, connection: Connection[Any], stop: Event) -> None:
        connection.execute("LISTEN outbox")
        self.leading.set()
        RELAY_LEADER.labels(self.name).set(1)
        log.info("relay_leads", relay=self.name)
        measured, busy = monotonic() - _SLICE, 0
        while not stop.is_set():
            taken, _ = self._publish_batch(connection)
            busy = busy + 1 if taken else 0
            if monotonic() - measured >= _SLICE:
                self._measure(connection)
                measured = monotonic()
            if not taken:
                self._wait(connection, stop)
            elif busy > _STEADY and taken < self.batch // 2:
                stop.wait(_GATHER)

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        """A connection outside the pool: the lock, LISTEN and the marking live and die with it."""
        pooled = self.database.engine.raw_connection()
        connection = _driver(pooled)
        pooled.detach()
        try:
            connection.autocommit = True
            yield connection
        finally:
            connection.close()

    def _publish_batch(self, connection: Connection[Any]) -> tuple[int, int]:
        """Take, publish and mark one batch; returns how many rows were taken and how many published."""
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            rows = outbox_rows.take(cursor, self.database.clock.now(), self.batch)
            if not rows:
                return 0, 0
            answers = self.transport.publish([row.envelope for row in rows])
            published = self._settle(cursor, rows, answers)
        PUBLISHED.labels(self.name).inc(published)
        self._raise_if_down(answers)
        return len(rows), published

    def _settle(self, cursor: psycopg.Cursor[Any], rows: Sequence[OutboxRow], answers: Sequence[Published]) -> int:
        now = self.database.clock.now()
        taken = []
        for row, answer in zip(rows, answers, strict=True):
            if answer.delivery is Delivery.ACCEPTED:
                taken.append(row.seq)
                continue
            PUBLISH_FAILURES.labels(self.name, answer.delivery.value).inc()
            if answer.delivery is Delivery.REFUSED:
                outbox_rows.put_off(cursor, row.seq, now + self._delay(row), answer.error)
                log.warning(
                    "message_refused",
                    relay=self.name,
                    message_id=str(row.envelope.message_id),
                    type=row.envelope.type,
                    attempt=row.envelope.attempt,
                )
        if taken:
            outbox_rows.mark_published(cursor, taken, now)
        return len(taken)

    def _delay(self, row: OutboxRow) -> timedelta:
        delays = self.transport.retry_delays
        return timedelta(seconds=delays[min(row.envelope.attempt, len(delays) - 1)])

    def _raise_if_down(self, answers: Sequence[Published]) -> None:
        down = [answer for answer in answers if answer.delivery is Delivery.DOWN]
        if down:
            raise TransportDownError(down[0].error or "transport down")

    def _wait(self, connection: Connection[Any], stop: Event) -> None:
        """Until a notification, a waiting row's time, the sweep or ``stop``."""
        until = monotonic() + self.sweep
        due = outbox_rows.next_due(connection)
        if due is not None:
            until = min(until, monotonic() + max(0.01, (due - self.database.clock.now()).total_seconds()))
        while not stop.is_set() and (left := until - monotonic()) > 0:
            if any(True for _ in connection.notifies(timeout=min(left, _SLICE), stop_after=1)):
                return
            self.transport.keep_alive()

    def _measure(self, connection: Connection[Any]) -> None:
        count, oldest = outbox_rows.waiting(connection)
        age = (self.database.clock.now() - oldest).total_seconds() if oldest else 0.0
        OUTBOX_WAITING.labels(self.name).set(count)
        OUTBOX_LAG.labels(self.name).set(max(age, 0.0))


def _driver(pooled: Any) -> Connection[Any]:
    connection: Connection[Any] = pooled.driver_connection
    return connection
