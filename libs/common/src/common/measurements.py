"""What a worker measures every few seconds: messages that wait, dead letters, late jobs.

Every worker of a service measures the same database and broker, so of several the greatest value counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from prometheus_client import Gauge
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from common.db import Database, TenantSession
from common.db.plumbing import dead_letter_table, organization_table, outbox_table
from common.jobs import Job
from common.messaging.metrics import OUTBOX_LAG, OUTBOX_WAITING

logger = structlog.get_logger(__name__)
PAUSE_SECONDS = 15.0
QUEUE = Gauge(
    "deskledger_queue_messages", "Messages ready in a queue", ["service", "queue"], multiprocess_mode="livemax"
)
BROKER_UP = Gauge(
    "deskledger_broker_up", "1 while the broker answers the worker", ["service"], multiprocess_mode="livemax"
)
DEAD_LETTERS_OPEN = Gauge(
    "deskledger_dead_letters_open", "Dead letters that wait for somebody", ["service"], multiprocess_mode="livemax"
)
JOB_OVERDUE = Gauge(
    "deskledger_job_overdue_seconds",
    "How long the oldest due work of a live organisation has been waiting",
    ["service", "job"],
    multiprocess_mode="livemax",
)
MEASURED_AT = Gauge(
    "deskledger_measured_timestamp_seconds",
    "When the worker last measured its database",
    ["service"],
    multiprocess_mode="livemax",
)


class Measurements:
    """The measuring loop of a worker. ``depth`` counts what waits in the broker; the standalone suite has none."""

    def __init__(
        self,
        database: Database,
        service: str,
        jobs: Sequence[Job],
        depth: Callable[[], Mapping[str, int] | None] | None = None,
    ) -> None:
        self._database, self._service, self._jobs, self._depth = database, service, jobs, depth

    def run(self, stop: threading.Event) -> None:
        """Measure until ``stop``; what cannot be asked now is asked again later."""
        while not stop.is_set():
            try:
                self.measure()
            except SQLAlchemyError as error:
                logger.warning("not_measured", service=self._service, error=type(error).__name__)
            except Exception:
                logger.exception("measuring_failed", service=self._service)
            stop.wait(PAUSE_SECONDS)

    def measure(self) -> None:
        """Set all gauges once. Raises SQLAlchemyError without a database."""
        self._measure_broker()
        now = self._database.clock.now()
        with self._database.system_session() as session:
            self._measure_outbox(session, now)
            DEAD_LETTERS_OPEN.labels(self._service).set(open_letters(session))
            for job, due_at in late_jobs(session, self._jobs, now).items():
                JOB_OVERDUE.labels(self._service, job).set((now - due_at).total_seconds() if due_at else 0)
        MEASURED_AT.labels(self._service).set(now.timestamp())

    def _measure_broker(self) -> None:
        if self._depth is None:
            return
        depths = self._depth()
        BROKER_UP.labels(self._service).set(depths is not None)
        for kind, count in (depths or {}).items():
            QUEUE.labels(self._service, kind).set(count)

    def _measure_outbox(self, session: TenantSession, now: datetime) -> None:
        table = outbox_table
        waiting = select(func.count(), func.min(table.c.created_at)).where(table.c.published_at.is_(None))
        count, oldest = session.execute(waiting).one()
        OUTBOX_WAITING.labels(self._service).set(count)
        OUTBOX_LAG.labels(self._service).set(max((now - oldest).total_seconds(), 0) if oldest else 0)


def open_letters(session: TenantSession) -> int:
    """How many dead letters wait for somebody."""
    table = dead_letter_table
    open_ = table.c.replayed_at.is_(None) & table.c.dropped_at.is_(None)
    return session.scalar(select(func.count()).select_from(table).where(open_)) or 0


def late_jobs(session: TenantSession, jobs: Sequence[Job], now: datetime) -> dict[str, datetime | None]:
    """The oldest due instant before ``now`` of each job, in live organisations.

    A rehearsal's clock jumps, so that its work is a month late for a moment: nobody needs to hear of that.
    """
    found: dict[str, datetime | None] = {}
    live = organization_table.c.clock_now.is_(None)
    for job in jobs:
        organization, due_at = job.due.subquery("due").c
        pending = select(func.min(due_at)).join_from(
            organization_table, organization.table, organization == organization_table.c.id
        )
        found[job.name] = session.scalar(pending.where(live, due_at <= now))
    return found
