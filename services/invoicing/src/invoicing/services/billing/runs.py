"""Billing runs: stored, resumable, safe to run twice and from two processes at once (BIL-4).

A run goes through the customers that have something due in the order of their ids, a batch per transaction, and
remembers the last one done. The customers' locks and the unique lines see to it that nothing is billed twice; a kill
loses at most the batch at work, which is done again by whoever resumes the run.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from common.clock import local_date
from common.db import Database, TenantSession
from common.errors import ConflictError, DomainError, NotFoundError
from common.ids import encode_id
from invoicing.models import BillingRun, Fee, Membership
from invoicing.services.billing.context import BillingContext, load_context
from invoicing.services.billing.issuing import issue_invoices
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.rows import Row
from invoicing.services.billing.selecting import Due, Scope, due_payers, load_due
from invoicing.services.billing.specs import InvoiceSpec

logger = structlog.get_logger(__name__)
BATCH = 500
_MAX_ERRORS_KEPT = 200
# A customer whose invoice cannot be made is tried again the next day, not every second.
_REST = timedelta(days=1)
# A run that its process has left is taken up again after this.
_LEASE = timedelta(minutes=2)


@dataclass(slots=True)
class Batch:
    """What one batch of customers led to."""

    last: UUID | None = None
    invoices: int = 0
    lines: int = 0
    customers: int = 0
    total_minor: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def count(self, rows: Sequence[Row], specs: Sequence[InvoiceSpec]) -> None:
        """Add issued invoices."""
        self.invoices += len(rows)
        self.lines += sum(len(spec.lines) for spec in specs)
        self.total_minor += sum(row["total_minor"] for row in rows)


def start_run(
    session: TenantSession,
    *,
    as_of: date,
    kind: str = "manual",
    location_id: UUID | None = None,
    payer_id: UUID | None = None,
    idempotency_key: str | None = None,
) -> BillingRun:
    """Store a run that is about to work. Raises ConflictError when everything up to ``as_of`` is locked (BIL-8)."""
    context = load_context(session)
    lock_date = context.settings.lock_date
    if lock_date is not None and as_of <= lock_date:
        raise ConflictError("billing_locked", f"Everything up to {lock_date.isoformat()} is locked.")
    run = BillingRun(
        kind=kind,
        as_of=as_of,
        location_id=location_id,
        payer_id=payer_id,
        status="running",
        counts=_no_counts(),
        errors=[],
        resume_at=session.now(),
        idempotency_key=idempotency_key,
        created_at=session.now(),
    )
    session.add(run)
    session.flush()
    return run


def _no_counts() -> dict[str, Any]:
    return {"customers": 0, "invoices": 0, "lines": 0, "errors": 0, "total_minor": 0}


def find_run(session: TenantSession, run_id: UUID) -> BillingRun:
    """A run by id. Raises NotFoundError."""
    run = session.scalars(
        select(BillingRun).where(BillingRun.id == run_id).execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise NotFoundError("billing_run_not_found", "there is no such billing run")
    return run


def work_on_run(
    database: Database,
    organization_id: UUID,
    run_id: UUID,
    *,
    batch: int = BATCH,
    progress: Callable[[BillingRun], None] | None = None,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Work on a run, batch by batch, until it is completed or ``until`` says to leave the rest to the worker."""
    done = False
    while not done and not until():
        with _no_collection(), database.session(organization_id) as session:
            run = session.scalars(select(BillingRun).where(BillingRun.id == run_id).with_for_update()).one()
            done = run.status != "running" or not _one_batch(session, run, batch)
            session.commit()
        if progress is not None:
            progress(run)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out of a batch: it would look again and again through half a million objects that
    all live until the batch is committed, and a third of the time would be its own."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _one_batch(session: TenantSession, run: BillingRun, size: int) -> bool:
    """Do the next batch of a locked run; False when there was none left, and the run is completed."""
    context = load_context(session)
    scope = _scope(run, context.now)
    payer_ids = due_payers(session, scope, run.cursor, size)
    if not payer_ids:
        run.status = "completed_with_errors" if run.counts["errors"] else "completed"
        run.resume_at, run.finished_at = None, context.now
        run.touch()
        return False
    outcome = bill_batch(session, context, scope, payer_ids, run.id)
    run.cursor = payer_ids[-1]
    _add(run, outcome)
    return True


def _scope(run: BillingRun, now: datetime) -> Scope:
    due_by = min(now, run.created_at) if run.kind == "automatic" else None
    return Scope(run.as_of, due_by, run.location_id, run.payer_id)


def _add(run: BillingRun, outcome: Batch) -> None:
    counts = dict(run.counts)
    for name in ("customers", "invoices", "lines", "total_minor"):
        counts[name] += getattr(outcome, name)
    counts["errors"] += len(outcome.errors)
    run.counts = counts
    run.errors = [*run.errors, *outcome.errors][:_MAX_ERRORS_KEPT]


def bill_batch(
    session: TenantSession, context: BillingContext, scope: Scope, payer_ids: Sequence[UUID], run_id: UUID | None
) -> Batch:
    """Invoice what a batch of customers has due; one customer's failure stops nobody else (BIL-4)."""
    outcome = Batch(last=payer_ids[-1], customers=len(payer_ids))
    specs, failed = plan_batch(context, scope, load_due(session, scope, payer_ids))
    try:
        with session.begin_nested():
            outcome.count(issue_invoices(session, context, specs, run_id=run_id), specs)
    except (DomainError, IntegrityError, ValueError):
        failed |= _one_by_one(session, context, specs, run_id, outcome)
    for payer_id, error in failed.items():
        logger.warning("customer_not_billed", customer=str(payer_id), error=error["detail"])
        outcome.errors.append(error)
        _put_off(session, scope, payer_id, context)
    return outcome


def plan_batch(
    context: BillingContext, scope: Scope, dues: Sequence[Due]
) -> tuple[list[InvoiceSpec], dict[UUID, dict[str, str]]]:
    """The invoices of loaded customers, and why some have none."""
    specs: list[InvoiceSpec] = []
    failed: dict[UUID, dict[str, str]] = {}
    cut_off = CutOff(None if scope.due_by is not None else scope.as_of)
    for due in dues:
        try:
            planned = plan_customer(context, due.customer, due.memberships, due.fees, cut_off)
            for spec in planned:
                _ = spec.totals
            if planned and due.customer.version == 0:
                raise ConflictError("customer_unknown", "this customer's details have not arrived yet")
            specs += planned
        except (DomainError, ValueError) as error:
            failed[due.customer.id] = _describe(due.customer, error)
    return specs, failed


def _one_by_one(
    session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec], run_id: UUID | None, outcome: Batch
) -> dict[UUID, dict[str, str]]:
    failed = {}
    by_customer: dict[UUID, list[InvoiceSpec]] = {}
    for spec in specs:
        by_customer.setdefault(spec.customer.id, []).append(spec)
    for customer_id, group in by_customer.items():
        try:
            with session.begin_nested():
                rows = issue_invoices(session, context, group, run_id=run_id)
        except (DomainError, IntegrityError, ValueError) as error:
            failed[customer_id] = _describe(group[0].customer, error)
        else:
            outcome.count(rows, group)
    return failed


def _describe(customer: Any, error: Exception) -> dict[str, str]:
    prefix = "mem" if customer.kind == "member" else "com"
    code = error.code if isinstance(error, DomainError) else "cannot_be_billed"
    return {"customer_id": encode_id(prefix, customer.id), "code": code, "detail": str(error).split("\n")[0]}


def _put_off(session: TenantSession, scope: Scope, payer_id: UUID, context: BillingContext) -> None:
    for model in (Membership, Fee):
        table: Any = model.__table__
        session.connection().execute(
            update(table)
            .where(table.c.payer_id == payer_id, scope.condition(table), table.c.run_at <= context.now)
            .values(run_at=context.now + _REST)
        )


def preview_run(session: TenantSession, scope: Scope) -> tuple[list[InvoiceSpec], list[dict[str, Any]]]:
    """A dry run: exactly the invoices that the real one would make now, without numbers (BIL-4). Changes nothing."""
    context = load_context(session)
    specs: list[InvoiceSpec] = []
    errors: list[dict[str, Any]] = []
    cursor: UUID | None = None
    while payer_ids := due_payers(session, scope, cursor, BATCH):
        planned, failed = plan_batch(context, scope, load_due(session, scope, payer_ids))
        specs += planned
        errors += failed.values()
        cursor = payer_ids[-1]
    return specs, errors


def run_automatically(database: Database, organization_id: UUID, now: datetime) -> None:
    """The scheduled turn: take up runs that were left, then one new run over all that is due now."""
    resume_runs(database, organization_id, now)
    with database.session(organization_id) as session:
        if not _anything_due(session, now):
            return
        run = start_run(session, as_of=local_date(now, session.organization.timezone), kind="automatic")
        run.created_at = now
        session.commit()
    work_on_run(database, organization_id, run.id)


def _anything_due(session: TenantSession, now: datetime) -> bool:
    found = [
        session.scalar(select(func.count()).select_from(model).where(model.run_at <= now))
        for model in (Membership, Fee)
    ]
    return any(found)


def resume_runs(database: Database, organization_id: UUID, now: datetime) -> None:
    """Finish runs whose process was killed or that were left to the worker."""
    with database.session(organization_id) as session:
        left = session.scalars(select(BillingRun.id).where(BillingRun.resume_at <= now).order_by(BillingRun.id)).all()
    for run_id in left:
        work_on_run(database, organization_id, run_id)
