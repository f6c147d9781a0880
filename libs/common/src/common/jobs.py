"""Scheduled work: chosen by stored due dates, run per organisation by its own clock (ARCHITECTURE section 5).

A job names its pending work as a SELECT of ``(organization_id, due_at)``. The scheduler asks one question for all
jobs together, "which organisations have something due by their clock", and runs those. Late work is caught up because
due dates are stored; several workers may run at once because jobs claim rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import CompoundSelect, DateTime, Select, Subquery, bindparam, func, literal, select, text, union_all

from common.db import Database, TenantSession
from common.db.plumbing import organization_table
from common.telemetry import Trace, span, trace_id_of, tracing

logger = structlog.get_logger(__name__)
JOB_RUNS = Counter("deskledger_job_runs_total", "Runs of scheduled jobs", ["service", "job", "outcome"])
JOB_SECONDS = Histogram("deskledger_job_seconds", "Time a job run took", ["service", "job"])
CHANNEL = "jobs"
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class JobRun:
    """One organisation's turn of a job: everything due at or before ``now`` is to be done."""

    database: Database
    organization_id: UUID
    now: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Scheduled work. ``due`` selects (organization_id, due_at) of all that is pending, over all organisations;
    ``run`` does what is due for one organisation in transactions of its own and may be interrupted anywhere."""

    name: str
    due: Select[Any]
    run: Callable[[JobRun], None]


def wake_scheduler(session: Any) -> None:
    """Let the service's workers look for due work as soon as this transaction commits."""
    session.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))


def _pending(job: Job) -> Subquery:
    return job.due.subquery(f"due_{job.name.replace('-', '_')}")


def next_due(database: Database, jobs: Sequence[Job], organization_id: UUID) -> datetime | None:
    """The earliest instant for which this organisation has pending work; None without any."""
    with database.system_session() as session:
        return next_due_in(session, jobs, organization_id)


def next_due_in(session: TenantSession, jobs: Sequence[Job], organization_id: UUID) -> datetime | None:
    """`next_due` in a session of all organisations."""
    if not jobs:
        return None
    statement = _next_due_statement(tuple(job.due for job in jobs))
    due: datetime | None = session.scalar(statement, {"organization_id": organization_id})
    return due


@lru_cache(maxsize=128)
def _next_due_statement(pending: tuple[Select[tuple[UUID, datetime]], ...]) -> Select[Any]:
    # Building it takes longer than running it, and an advance of the clock asks often.
    parts = []
    for number, due in enumerate(pending):
        organization, due_at = due.subquery(f"due_{number}").c
        mine = organization == bindparam("organization_id", type_=organization.type)
        parts.append(select(func.min(due_at).label("due_at")).where(mine))
    return select(func.min(union_all(*parts).subquery().c.due_at))


def _due_statement(jobs: Sequence[Job]) -> CompoundSelect[Any]:
    """What is due in which organisation; made once: building it takes several times longer than running it."""
    table, real_now = organization_table, bindparam("real_now", type_=DateTime(timezone=True))
    parts = []
    for job in jobs:
        pending = _pending(job)
        organization, due_at = pending.c
        now = func.coalesce(table.c.clock_now, real_now)
        parts.append(
            select(literal(job.name), table.c.id, now, func.min(due_at).label("first"))
            .join_from(table, pending, table.c.id == organization)
            .where(due_at <= now)
            .group_by(table.c.id, table.c.clock_now)
        )
    # The earliest work comes first, so that late work is caught up in the order of time.
    return union_all(*parts).order_by("first")


class Scheduler:
    """The loop that runs a service's jobs; wakes by NOTIFY and looks once a second anyway."""

    def __init__(self, database: Database, jobs: Sequence[Job], service: str) -> None:
        self._database, self._service = database, service
        self._jobs = {job.name: job for job in jobs}
        self._statement = _due_statement(jobs) if jobs else None
        self._resting: dict[tuple[str, UUID], tuple[float, float]] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; a lost database is waited for."""
        while not stop.is_set():
            try:
                with self._listening() as connection:
                    while not stop.is_set():
                        if not self.run_once():
                            self._wait(connection, stop)
            except (psycopg.Error, OSError) as error:
                logger.warning("scheduler_lost_database", service=self._service, error=type(error).__name__)
                stop.wait(1.0)
            except Exception:
                logger.exception("scheduler_failed", service=self._service)
                stop.wait(1.0)

    @contextmanager
    def _listening(self) -> Iterator[Any]:
        connection = self._database.engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            connection.detach()
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            yield driver
        finally:
            connection.close()

    @staticmethod
    def _wait(connection: Any, stop: threading.Event) -> None:
        deadline = time.monotonic() + _TICK_SECONDS
        while not stop.is_set() and time.monotonic() < deadline:
            if list(connection.notifies(timeout=0.25, stop_after=1)):
                return

    def run_once(self) -> int:
        """Run every job of every organisation that has due work; returns how many turns did so without failing."""
        done = 0
        for name, organization_id, now in self._due():
            if self._rests(name, organization_id):
                continue
            done += self._turn(self._jobs[name], JobRun(self._database, organization_id, now))
        return done

    def _due(self) -> list[tuple[str, UUID, datetime]]:
        if self._statement is None:
            return []
        real_now = {"real_now": self._database.clock.now()}
        with self._database.system_session() as session:
            return [(row[0], row[1], row[2]) for row in session.execute(self._statement, real_now)]

    def _turn(self, job: Job, run: JobRun) -> int:
        started = time.monotonic()
        key = (job.name, run.organization_id)
        with tracing(Trace(trace_id=trace_id_of(None), request_id="", actor=f"job:{job.name}")):
            try:
                with span(f"job {job.name}"):
                    job.run(run)
            except Exception:
                logger.exception("job_failed", service=self._service, job=job.name, organization=str(key[1]))
                JOB_RUNS.labels(self._service, job.name, "failed").inc()
                self._rest(key)
                return 0
        self._resting.pop(key, None)
        JOB_RUNS.labels(self._service, job.name, "done").inc()
        JOB_SECONDS.labels(self._service, job.name).observe(time.monotonic() - started)
        return 0 if self._still_due(job, run) else 1

    def _still_due(self, job: Job, run: JobRun) -> bool:
        # Work that stays due (waiting for a provider's answer, say) must not make the loop spin.
        due = next_due(self._database, [job], run.organization_id)
        return due is not None and due <= run.now

    def _rests(self, name: str, organization_id: UUID) -> bool:
        until, _ = self._resting.get((name, organization_id), (0.0, 0.0))
        return time.monotonic() < until

    def _rest(self, key: tuple[str, UUID]) -> None:
        _, pause = self._resting.get(key, (0.0, 0.5))
        pause = min(pause * 2, 60.0)
        self._resting[key] = (time.monotonic() + pause, pause)
