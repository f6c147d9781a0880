"""A batch of customers: planned, issued, and when that fails customer by customer, so that one stops nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import SessionTransaction

from common.db import TenantSession
from common.errors import ConflictError, DomainError
from common.ids import encode_id
from invoicing.models import Fee, Membership
from invoicing.services.billing.context import BillingContext
from invoicing.services.billing.issuing import Prepared, issue_invoices, issue_prepared, prepare_invoices
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.rows import Row
from invoicing.services.billing.selecting import Due, Scope, load_due
from invoicing.services.billing.specs import InvoiceSpec

logger = structlog.get_logger(__name__)
# A customer whose invoice cannot be made is tried again the next day, not every second.
_REST = timedelta(days=1)
# What one customer's data can lead to; anything else is nobody's fault and ends the run's turn.
_FAILURES = (DomainError, IntegrityError, DataError, ValueError)


@dataclass(slots=True)
class Outcome:
    """What one batch of customers led to."""

    customers: int = 0
    invoices: int = 0
    lines: int = 0
    total_minor: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def count(self, rows: Sequence[Row], specs: Sequence[InvoiceSpec]) -> None:
        """Add issued invoices."""
        self.invoices += len(rows)
        self.lines += sum(len(spec.lines) for spec in specs)
        self.total_minor += sum(row["total_minor"] for row in rows)


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """Locked customers with the invoices that they are to get, and why some get none."""

    context: BillingContext
    scope: Scope
    payer_ids: Sequence[UUID]
    specs: list[InvoiceSpec]
    failed: dict[UUID, dict[str, str]]


def plan_batch(
    session: TenantSession, context: BillingContext, scope: Scope, payer_ids: Sequence[UUID]
) -> PlannedBatch:
    """Lock customers and plan what they have due; the way of real runs and dry ones."""
    specs, failed = _plan_dues(context, scope, load_due(session, scope, payer_ids) if payer_ids else ())
    return PlannedBatch(context, scope, payer_ids, specs, failed)


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A planned batch with its invoices prepared behind a savepoint; without them when one customer's were refused."""

    planned: PlannedBatch
    savepoint: SessionTransaction
    invoices: Prepared | None


def prepare_batch(session: TenantSession, batch: PlannedBatch, run_id: UUID | None) -> PreparedBatch:
    """Do of a planned batch what needs no numbers, in the transaction that locked it."""
    savepoint = session.begin_nested()
    try:
        return PreparedBatch(batch, savepoint, prepare_invoices(session, batch.context, batch.specs, run_id=run_id))
    except _FAILURES:
        return PreparedBatch(batch, savepoint, None)


def issue_together(session: TenantSession, prepared: PreparedBatch) -> Outcome | None:
    """Issue a batch in the transaction that prepared it. None when one customer's invoices are refused: all is then as
    before the preparing, and what was locked since is locked no more."""
    batch = prepared.planned
    try:
        if prepared.invoices is None:
            raise ValueError("refused while it was prepared")
        rows = issue_prepared(session, batch.context, prepared.invoices)
    except _FAILURES:
        prepared.savepoint.rollback()
        return None
    prepared.savepoint.commit()
    outcome = Outcome(customers=len(batch.payer_ids))
    outcome.count(rows, prepared.invoices.specs)
    _put_off_all(session, batch, batch.failed, outcome)
    return outcome


def issue_one_by_one(session: TenantSession, batch: PlannedBatch, run_id: UUID | None) -> Outcome:
    """Issue a batch customer by customer, so that one's failure stops nobody else (BIL-4)."""
    outcome = Outcome(customers=len(batch.payer_ids))
    _put_off_all(session, batch, batch.failed | _one_by_one(session, batch, run_id, outcome), outcome)
    return outcome


def _put_off_all(
    session: TenantSession, batch: PlannedBatch, failed: dict[UUID, dict[str, str]], outcome: Outcome
) -> None:
    for payer_id, error in failed.items():
        logger.warning("customer_not_billed", customer=str(payer_id), error=error["detail"])
        outcome.errors.append(error)
        _put_off(session, batch, payer_id)


def _plan_dues(
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
    session: TenantSession, batch: PlannedBatch, run_id: UUID | None, outcome: Outcome
) -> dict[UUID, dict[str, str]]:
    failed = {}
    by_customer: dict[UUID, list[InvoiceSpec]] = {}
    for spec in batch.specs:
        by_customer.setdefault(spec.customer.id, []).append(spec)
    for customer_id, group in by_customer.items():
        try:
            with session.begin_nested():
                rows = issue_invoices(session, batch.context, group, run_id=run_id)
        except _FAILURES as error:
            failed[customer_id] = _describe(group[0].customer, error)
        else:
            outcome.count(rows, group)
    return failed


def _describe(customer: Any, error: Exception) -> dict[str, str]:
    prefix = "mem" if customer.kind == "member" else "com"
    code = error.code if isinstance(error, DomainError) else "cannot_be_billed"
    return {"customer_id": encode_id(prefix, customer.id), "code": code, "detail": str(error).split("\n")[0]}


def _put_off(session: TenantSession, batch: PlannedBatch, payer_id: UUID) -> None:
    now = batch.context.now
    for model in (Membership, Fee):
        table: Any = model.__table__
        session.connection().execute(
            update(table)
            .where(table.c.payer_id == payer_id, batch.scope.condition(table), table.c.run_at <= now)
            .values(run_at=now + _REST)
        )
