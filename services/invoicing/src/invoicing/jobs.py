"""What the scheduler runs for invoicing: billing, sending, dunning; each chosen by an instant stored with the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, union_all

from common.config import Settings
from common.jobs import Job, JobRun
from invoicing.models import BillingRun, BillingSettings, Fee, Invoice, Membership
from invoicing.services.billing.runs import run_automatically
from invoicing.services.checkouts import expire_checkouts, unpaid_checkouts
from invoicing.services.dunning import work_on_due_invoices
from invoicing.services.sending import send_due_invoices


def build_jobs(_settings: Settings) -> Sequence[Job]:
    """The service's jobs."""
    return (
        Job("billing", due=_billing_due(), run=bill),
        Job("sending", due=_due(Invoice, "send_at"), run=send),
        Job("dunning", due=_due(Invoice, "dunning_at"), run=dun),
        Job("checkouts", due=unpaid_checkouts(), run=expire),
    )


def bill(run: JobRun) -> None:
    """Make the invoices that are due (BIL-3) and finish runs that were left."""
    run_automatically(run.database, run.organization_id, run.now)


def send(run: JobRun) -> None:
    """Send the invoices that are in line."""
    send_due_invoices(run.database, run.organization_id)


def dun(run: JobRun) -> None:
    """Remind of unpaid invoices, announce overdue ones, charge late fees."""
    work_on_due_invoices(run.database, run.organization_id)


def expire(run: JobRun) -> None:
    """Take back what was bought on the storefront and not paid in time."""
    expire_checkouts(run.database, run.organization_id)


def _due(model: Any, column: str) -> Any:
    at = getattr(model, column)
    return select(model.organization_id, at.label("due_at")).where(at.is_not(None))


def _billing_due() -> Any:
    """Planned items where automatic generation is on, and runs that are not finished."""
    automatic = BillingSettings.automatic_generation.is_(True)
    parts = [
        select(model.organization_id, model.run_at.label("due_at"))
        .join(BillingSettings, BillingSettings.organization_id == model.organization_id)
        .where(automatic, model.run_at.is_not(None))
        for model in (Membership, Fee)
    ]
    pending = union_all(*parts, _due(BillingRun, "resume_at")).subquery()
    return select(pending.c.organization_id, pending.c.due_at)
