"""A location moved to another time zone: what is planned there happens at the new local hours (BIL-2, PAY-1)."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update

from common.clock import start_of_day
from common.db import TenantSession
from common.jobs import wake_scheduler
from common.messaging import outbox
from contracts.invoicing import InvoiceChanged
from invoicing.messages.publishes import invoice_fields
from invoicing.models import Customer, Fee, Invoice, Membership
from invoicing.services.customers import lock_customers
from invoicing.services.invoices import plan_dunning


def move_to_zone(session: TenantSession, location_id: UUID, zone: str) -> None:
    """Plan runs, reminders and charges of a location anew. Civil dates stay; their instants move with the zone."""
    at_home = select(Customer.id).where(Customer.location_id == location_id)
    fees = or_(Fee.location_id == location_id, and_(Fee.location_id.is_(None), Fee.payer_id.in_(at_home)))
    invoices = and_(Invoice.location_id == location_id, Invoice.state.in_(("draft", "open")), Invoice.timezone != zone)
    places: tuple[tuple[Any, ColumnElement[bool]], ...] = (
        (Membership, and_(Membership.location_id == location_id, Membership.issue_on.is_not(None))),
        (Fee, and_(fees, Fee.issue_on.is_not(None))),
    )
    payers = [session.scalars(select(model.payer_id).where(where)) for model, where in (*places, (Invoice, invoices))]
    lock_customers(session, {payer_id for found in payers for payer_id in found})
    for model, where in places:
        _move_runs(session, model, where, zone)
    for invoice in session.scalars(select(Invoice).where(invoices).order_by(Invoice.id).with_for_update()).all():
        _move_invoice(session, invoice, zone)
    session.flush()
    wake_scheduler(session)


def _move_runs(session: TenantSession, model: Any, where: ColumnElement[bool], zone: str) -> None:
    for day in session.scalars(select(model.issue_on).where(where).distinct()).all():
        moved = update(model).where(where, model.issue_on == day, model.organization_id == session.organization_id)
        session.execute(moved.values(run_at=start_of_day(cast(Any, day), zone)))


def _move_invoice(session: TenantSession, invoice: Invoice, zone: str) -> None:
    """Payments charges on the due date in the invoice's zone: it is told of the new one."""
    invoice.timezone = zone
    if invoice.state == "draft":
        return
    plan_dunning(session, invoice)
    invoice.touch()
    session.flush()
    message = InvoiceChanged(**invoice_fields(invoice))
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)
