"""A customer's standing: since when something is overdue, and whether they may still book (PAY-8)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.messaging import outbox
from invoicing.domain.dunning import blocks_bookings
from invoicing.messages.publishes import customer_standing_changed
from invoicing.models import Customer, Invoice
from invoicing.services.settings import billing_settings


def refresh_standing(session: TenantSession, customer_id: UUID) -> None:
    """Work out a locked customer's standing anew and announce it when it changed; leaving arrears is immediate."""
    session.flush()
    customer = session.get_one(Customer, customer_id)
    overdue_since = _overdue_since(session, customer_id)
    today = local_date(session.now(), session.organization.timezone)
    after_days = billing_settings(session).block_bookings_after_days
    blocked = customer.reminders and blocks_bookings(overdue_since, today, after_days)
    if (customer.overdue_since, customer.bookings_blocked) == (overdue_since, blocked):
        return
    customer.overdue_since, customer.bookings_blocked = overdue_since, blocked
    customer.standing_version += 1
    session.flush()
    outbox.add(
        session,
        customer_standing_changed(customer),
        aggregate_id=customer.id,
        aggregate_version=customer.standing_version,
    )


def _overdue_since(session: TenantSession, customer_id: UUID) -> date | None:
    """The earliest due date of the customer's overdue invoices."""
    open_invoices = session.execute(
        select(Invoice.due_date, Invoice.timezone).where(
            Invoice.payer_id == customer_id,
            Invoice.state == "open",
            Invoice.payable_minor > 0,
            Invoice.payment_state.not_in(("refunded", "processing")),
        )
    )
    now = session.now()
    return min((row.due_date for row in open_invoices if row.due_date < local_date(now, row.timezone)), default=None)
