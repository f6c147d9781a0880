"""The turns of a billing run: while PostgreSQL stores one batch, the next is read and planned.

Each batch has a transaction of its own, which locks its customers, plans and prepares their invoices, then locks the
run, issues, and moves the run's cursor. Everybody takes locks in this order (customers by their ids, run, number
series, chain), and a batch planned ahead waits for nobody with the run locked, so that any number of processes may work
on one run. A batch planned behind a cursor that somebody else has moved is let go.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy import select

from common.db import Database, TenantSession
from invoicing.models import BillingRun
from invoicing.services.billing.batches import (
    Outcome,
    PlannedBatch,
    PreparedBatch,
    issue_one_by_one,
    issue_together,
    plan_batch,
    prepare_batch,
)
from invoicing.services.billing.context import load_context
from invoicing.services.billing.selecting import Scope, due_payers

_MAX_ERRORS_KEPT = 200
_TURNS_PER_COLLECTION = 20


@dataclass(frozen=True, slots=True)
class _Planned:
    """A batch with the open transaction that locks its customers; ``after`` is the cursor it was planned behind."""

    session: TenantSession
    batch: PreparedBatch
    after: UUID | None


class Turns:
    """Iterates over the states of a run after each of its turns, the completed one included."""

    def __init__(self, database: Database, organization_id: UUID, run_id: UUID, size: int) -> None:
        self._database, self._organization_id, self._run_id, self._size = database, organization_id, run_id, size
        self._planner = ThreadPoolExecutor(1, thread_name_prefix="billing-plan")
        self._ahead: Future[_Planned] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()
        self._planner.shutdown()

    def __iter__(self) -> Iterator[BillingRun]:
        for turn in count(1):
            planned = self._next()
            payer_ids = planned.batch.planned.payer_ids
            if len(payer_ids) == self._size:
                self._ahead = self._planner.submit(self._plan, payer_ids[-1])
            yield self._take(planned)
            if turn % _TURNS_PER_COLLECTION == 0:
                gc.collect(1)

    def _next(self) -> _Planned:
        """The batch planned ahead, else one behind the run's cursor."""
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            return ahead.result()
        with self._database.session(self._organization_id) as session:
            cursor = session.scalars(select(BillingRun.cursor).where(BillingRun.id == self._run_id)).one()
        return self._plan(cursor)

    def _plan(self, after: UUID | None) -> _Planned:
        session = self._database.open_session(self._organization_id)
        try:
            run = session.get_one(BillingRun, self._run_id)
            context = load_context(session)
            scope = scope_of(run, context.now)
            payer_ids = due_payers(session, scope, after, self._size)
            batch = plan_batch(session, context, scope, payer_ids)
            return _Planned(session, prepare_batch(session, batch, self._run_id), after)
        except BaseException:
            session.close()
            raise

    def _take(self, planned: _Planned) -> BillingRun:
        """Issue a planned batch, if the run is still where it was planned; the run as it is then."""
        with planned.session as session:
            run, outcome = self._lock_run(session), None
            if _is_at(run, planned.after):
                outcome = issue_together(session, planned.batch)
                if outcome is None:
                    # The run was unlocked again with all that the batch had come to.
                    run = self._lock_run(session)
                    if _is_at(run, planned.after):
                        outcome = issue_one_by_one(session, planned.batch.planned, run.id)
            if outcome is not None:
                _move(run, planned.batch.planned, outcome)
                session.commit()
            session.expunge(run)
            session.rollback()
            session.info.clear()  # the messages it wrote: the session itself is left to the next collection
        if outcome is None:
            # Not before the run is unlocked: the planner may wait for somebody who waits for the run.
            self._let_go()
        return run

    def _lock_run(self, session: TenantSession) -> BillingRun:
        statement = select(BillingRun).where(BillingRun.id == self._run_id).with_for_update()
        return session.scalars(statement).one()

    def _let_go(self) -> None:
        """Give up what was planned ahead, with its locks."""
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            if ahead.exception() is None:
                ahead.result().session.close()


def scope_of(run: BillingRun, now: datetime) -> Scope:
    """What a run is about."""
    due_by = min(now, run.created_at) if run.kind == "automatic" else None
    return Scope(run.as_of, due_by, run.location_id, run.payer_id)


def _is_at(run: BillingRun, cursor: UUID | None) -> bool:
    return run.status == "running" and run.cursor == cursor


def _move(run: BillingRun, batch: PlannedBatch, outcome: Outcome) -> None:
    """Count an issued batch of a locked run; an empty one is its end."""
    if batch.payer_ids:
        _add(run, outcome)
        run.cursor = batch.payer_ids[-1]
    else:
        _complete(run, batch.context.now)


def _complete(run: BillingRun, now: datetime) -> None:
    run.status = "completed_with_errors" if run.counts["errors"] else "completed"
    run.resume_at, run.finished_at = None, now
    run.touch()


def _add(run: BillingRun, outcome: Outcome) -> None:
    counts = dict(run.counts)
    for name in ("customers", "invoices", "lines", "total_minor"):
        counts[name] += getattr(outcome, name)
    counts["errors"] += len(outcome.errors)
    run.counts = counts
    run.errors = [*run.errors, *outcome.errors][:_MAX_ERRORS_KEPT]


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Keep the garbage collector out of a run but between some turns: it would look again and again through half a
    million objects that all live until their batch is committed, and a third of the time would be its own."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
