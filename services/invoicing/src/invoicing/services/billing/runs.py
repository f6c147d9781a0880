"""Billing runs: stored, resumable, safe to run twice and from two processes at once (BIL-4).

A run goes through the customers that have something due in the order of their ids, a batch per transaction, and
remembers the last one done (`turns`). The customers' locks and the unique lines see to it that nothing is billed twice;
a kill loses at most the batch at work, which is done again by whoever resumes the run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from common.clock import local_date
from common.db import Database, TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from invoicing.models import BillingRun, Fee, Membership
from invoicing.services.billing.batches import plan_batch
from invoicing.services.billing.context import BillingContext, load_context
from invoicing.services.billing.selecting import Scope, due_payers
from invoicing.services.billing.specs import InvoiceSpec
from invoicing.services.billing.turns import Turns, garbage_left_alone
from invoicing.services.settings import billing_settings

BATCH = 1000
YEARS_AHEAD = 3


def start_run(
    session: TenantSession,
    *,
    as_of: date,
    kind: str = "manual",
    location_id: UUID | None = None,
    payer_id: UUID | None = None,
    idempotency_key: str | None = None,
) -> BillingRun:
    """Store a run that is about to work. Raises ConflictError when everything up to ``as_of`` is locked (BIL-8), and
    InvalidError when that is too far ahead."""
    context = load_context(session)
    _check_reach(context, as_of)
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


def _check_reach(context: BillingContext, as_of: date) -> None:
    """A slip in the year would invoice everybody for decades, and invoices cannot be taken back."""
    last_year = context.today().year + YEARS_AHEAD
    if as_of.year > last_year:
        raise InvalidError(
            "invalid_as_of",
            f"billing runs reach {YEARS_AHEAD} years ahead at most",
            errors=[FieldError("/as_of", f"Must be in {last_year} or earlier.")],
        )


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
    with garbage_left_alone(), Turns(database, organization_id, run_id, batch) as turns:
        for run in turns:
            if progress is not None:
                progress(run)
            if run.status != "running" or until():
                return


def preview_run(session: TenantSession, scope: Scope) -> tuple[list[InvoiceSpec], list[dict[str, Any]]]:
    """A dry run: exactly the invoices that the real one would make now, without numbers (BIL-4). Changes nothing."""
    context = load_context(session)
    _check_reach(context, scope.as_of)
    specs: list[InvoiceSpec] = []
    errors: list[dict[str, Any]] = []
    cursor: UUID | None = None
    while payer_ids := due_payers(session, scope, cursor, BATCH):
        batch = plan_batch(session, context, scope, payer_ids)
        specs += batch.specs
        errors += batch.failed.values()
        cursor = payer_ids[-1]
    return specs, errors


def run_automatically(database: Database, organization_id: UUID, now: datetime) -> None:
    """The scheduled turn: take up runs that were left, then one new run over all that is due now.

    Until automatic generation is on, a turn that came for a run which was left begins nothing by itself.
    """
    resume_runs(database, organization_id, now)
    with database.session(organization_id) as session:
        if not (billing_settings(session).automatic_generation and _anything_due(session, now)):
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
