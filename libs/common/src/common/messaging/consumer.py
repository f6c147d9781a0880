"""Handling messages: inbox row, handlers and outbox rows in one transaction, and what becomes of failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from time import perf_counter
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.db.database import Database, TenantSession
from common.messaging import deadletters, inbox
from common.messaging.failures import DatabaseDownError, UnknownVersionError, describe, is_transient, lost_connection
from common.messaging.handlers import Handlers
from common.messaging.message import Envelope
from common.messaging.metrics import DELIVERY_SECONDS, HANDLED, HANDLER_SECONDS, RETRIES
from common.telemetry import Trace, span, span_id_of, trace_id_of, tracing

log = structlog.get_logger(__name__)

DEFAULT_ATTEMPTS = 5


class Result(Enum):
    """What became of a message."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    RETRY = "retry"
    DEAD = "dead"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of handling one message, with the error of a failure."""

    result: Result
    error: str | None = None

    @property
    def settled(self) -> bool:
        """Handled now, earlier, or not meant for us: nothing is left to do."""
        return self.result in (Result.DONE, Result.DUPLICATE, Result.IGNORED)


DONE = Outcome(Result.DONE)
DUPLICATE = Outcome(Result.DUPLICATE)
IGNORED = Outcome(Result.IGNORED)
HELD = Outcome(Result.HELD, "an earlier message of the same aggregate waits")


class Consumer:
    """Handles a service's messages in its database; transports call it.

    ``attempts`` is how often a message with transient failures is tried before it becomes a dead letter. Safe to call
    from several threads.
    """

    def __init__(self, name: str, database: Database, handlers: Handlers, *, attempts: int = DEFAULT_ATTEMPTS) -> None:
        self.name = name
        self.database = database
        self.handlers = handlers
        self.attempts = attempts
        self._delivery_seconds = DELIVERY_SECONDS.labels(name)

    def handle(self, envelope: Envelope, *, attempts: int | None = None) -> Outcome:
        """Handle one message; a permanent or last failure is in the dead letters when this returns DEAD.

        Raises DatabaseDownError when the database cannot be reached.
        """
        outcome = self.attempt(envelope)
        if outcome.result is Result.RETRY and envelope.attempt + 1 >= (attempts or self.attempts):
            outcome = Outcome(Result.DEAD, outcome.error)
        self._count([envelope], [outcome])
        if outcome.result is Result.DEAD:
            self.bury(envelope, outcome.error or "")
        return outcome

    def handle_batch(
        self, envelopes: Sequence[Envelope], *, attempts: int | None = None, in_order: bool = False
    ) -> list[Outcome]:
        """Handle messages in one transaction; if any fails, each in its own. One outcome per envelope, in order.

        With ``in_order`` a message is HELD, untried, behind a failed earlier one of its aggregate. Raises
        DatabaseDownError.
        """
        if len(envelopes) > 1:
            try:
                outcomes = self._transact(envelopes)
            except Exception as error:  # noqa: BLE001 - whatever it was, the messages are tried alone
                log.info("batch_failed", consumer=self.name, size=len(envelopes), error=describe(error))
            else:
                self._count(envelopes, outcomes)
                return outcomes
        return list(self._one_by_one(envelopes, attempts, in_order))

    def attempt(self, envelope: Envelope) -> Outcome:
        """Handle one message without burying it: RETRY is a transient failure, DEAD a permanent one.

        Raises DatabaseDownError when the database cannot be reached.
        """
        try:
            return self._transact([envelope])[0]
        except Exception as error:
            if lost_connection(error):
                self._probe(error)
            transient = is_transient(error)
            log.warning(
                "message_failed",
                trace_id=trace_id_of(envelope.traceparent),
                consumer=self.name,
                message_id=str(envelope.message_id),
                type=envelope.type,
                attempt=envelope.attempt,
                transient=transient,
                error=describe(error),
                exc_info=not transient,
            )
            return Outcome(Result.RETRY if transient else Result.DEAD, describe(error))

    def bury(self, envelope: Envelope, error: str) -> None:
        """Put a message into the dead letters."""
        try:
            deadletters.bury(self.database, self.name, envelope, error)
        except DBAPIError as failure:
            if lost_connection(failure):
                raise DatabaseDownError(describe(failure)) from failure
            raise
        log.error(
            "message_dead",
            trace_id=trace_id_of(envelope.traceparent),
            consumer=self.name,
            message_id=str(envelope.message_id),
            type=envelope.type,
        )

    def _one_by_one(self, envelopes: Sequence[Envelope], attempts: int | None, in_order: bool) -> Iterator[Outcome]:
        waiting: set[UUID] = set()
        for envelope in envelopes:
            if envelope.aggregate_id in waiting:
                yield HELD
                continue
            outcome = self.handle(envelope, attempts=attempts)
            if in_order and outcome.result is Result.RETRY and envelope.aggregate_id:
                waiting.add(envelope.aggregate_id)
            yield outcome

    def _transact(self, envelopes: Sequence[Envelope]) -> list[Outcome]:
        mine = [envelope for envelope in envelopes if self._concerns(envelope)]
        if not mine:
            return [IGNORED] * len(envelopes)
        # Grouping keeps the order inside an organisation, and so inside each aggregate.
        mine.sort(key=lambda envelope: str(envelope.organization_id))
        with self.database.open_session(mine[0].organization_id) as session:
            fresh = inbox.record(session, self.name, mine)
            done = self._handle_fresh(session, mine, fresh)
            session.commit()
        return [self._outcome(envelope, done) for envelope in envelopes]

    def _concerns(self, envelope: Envelope) -> bool:
        if self.handlers.type_of(envelope):
            return True
        if self.handlers.too_new(envelope):
            raise UnknownVersionError("unknown_version", f"{envelope.routing_key} is newer than this consumer knows")
        log.info("message_ignored", consumer=self.name, message_id=str(envelope.message_id), key=envelope.routing_key)
        return False

    def _handle_fresh(self, session: TenantSession, mine: Iterable[Envelope], fresh: set[UUID]) -> set[int]:
        """Run the handlers of what the inbox did not know; returns the identities of the envelopes handled."""
        done: set[int] = set()
        for organization_id, group in groupby(mine, key=lambda envelope: envelope.organization_id):
            if session.organization_id != organization_id:
                session.flush()
                session.bind_organization(organization_id)
            for envelope in group:
                if envelope.message_id in fresh:
                    fresh.discard(envelope.message_id)
                    self._call(session, envelope)
                    done.add(id(envelope))
        return done

    def _call(self, session: TenantSession, envelope: Envelope) -> None:
        message = self.handlers.decode(envelope)
        started = perf_counter()
        with tracing(_trace_of(envelope)), span(f"handle {envelope.type}", "consumer", {"consumer": self.name}):
            self.handlers.call(session, message, envelope)
            seconds = perf_counter() - started
            # Without configured logs (a test, a benchmark) nobody reads along.
            if structlog.is_configured():
                self._note(envelope, seconds)
        HANDLER_SECONDS.labels(self.name, envelope.type).observe(seconds)

    def _note(self, envelope: Envelope, seconds: float) -> None:
        log.info(
            "message_handled",
            consumer=self.name,
            message_id=str(envelope.message_id),
            type=envelope.type,
            ms=round(seconds * 1000, 1),
        )

    def _outcome(self, envelope: Envelope, done: set[int]) -> Outcome:
        if id(envelope) in done:
            return DONE
        return DUPLICATE if self.handlers.type_of(envelope) else IGNORED

    def _count(self, envelopes: Sequence[Envelope], outcomes: Sequence[Outcome]) -> None:
        now = self.database.clock.now()
        results = Counter((e.type, o.result) for e, o in zip(envelopes, outcomes, strict=True))
        for (type_, result), count in results.items():
            HANDLED.labels(self.name, type_, result.value).inc(count)
            if result is Result.RETRY:
                RETRIES.labels(self.name, type_).inc(count)
        for envelope, outcome in zip(envelopes, outcomes, strict=True):
            if outcome is DONE:
                self._delivery_seconds.observe((now - envelope.created_at).total_seconds())

    def _probe(self, error: Exception) -> None:
        """Raise DatabaseDownError if the database does not answer; else the failure is the message's own."""
        try:
            with self.database.system_session() as session:
                session.execute(text("SELECT 1"))
        except DBAPIError as failure:
            raise DatabaseDownError(describe(failure)) from error


def _trace_of(envelope: Envelope) -> Trace:
    return Trace(
        trace_id=trace_id_of(envelope.traceparent),
        request_id=envelope.correlation_id or "",
        causation_id=envelope.message_id,
        span_id=span_id_of(envelope.traceparent),
    )
