"""Invoices made by hand: of given lines or of all unbilled items, issued at once or kept as a draft."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from invoicing.models import Customer, Invoice
from invoicing.services.billing.context import BillingContext, load_context
from invoicing.services.billing.issuing import issue_invoices
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.selecting import load_unbilled
from invoicing.services.billing.specs import InvoiceSpec
from invoicing.services.customers import known_location
from invoicing.services.drafts import keep_drafts
from invoicing.services.invoices import find_invoice
from invoicing.services.manual_lines import (
    ManualDiscount,
    ManualLine,
    manual_discounts,
    manual_issue_date,
    manual_line,
)


def make_invoice(
    session: TenantSession,
    customer: Customer,
    *,
    lines: Sequence[ManualLine] | None = None,
    discounts: Sequence[ManualDiscount] = (),
    issue: bool = True,
    location_id: UUID | None = None,
    issue_date: date | None = None,
    due_date: date | None = None,
    note: str | None = None,
) -> Invoice:
    """Invoice a locked customer by hand; without ``lines`` all that is unbilled and dated up to the issue date.

    ``issue_date`` is today at the location unless given, and not in the future. Raises ConflictError when there is
    nothing to invoice or the date is locked.
    """
    known_location(session, location_id)
    context = load_context(session)
    location_id = location_id or customer.location_id
    issue_date = manual_issue_date(context, location_id, issue_date)
    if due_date is not None and due_date < issue_date:
        raise InvalidError("invalid_due_date", "an invoice cannot be due before it is issued")
    if lines is None:
        specs = _unbilled(session, context, customer, issue_date)
    else:
        specs = [InvoiceSpec(customer, issue_date, location_id, context.currency)]
        specs[0].lines = [manual_line(session, context, customer, line, location_id) for line in lines]
    for spec in specs:
        spec.note, spec.due_date, spec.discounts = note, due_date, manual_discounts(session, discounts)
    make = issue_invoices if issue else keep_drafts
    rows = make(session, context, specs)
    session.expire_all()
    return find_invoice(session, rows[0]["id"])


def _unbilled(session: TenantSession, context: BillingContext, customer: Customer, day: date) -> list[InvoiceSpec]:
    due = load_unbilled(session, customer.id)
    specs = plan_customer(context, due.customer, due.memberships, due.fees, CutOff(day, together_on=day))
    if not specs:
        raise ConflictError("nothing_to_invoice", "this customer has no unbilled items up to that day")
    if len(specs) > 1:
        # Grouping by location or kind is the run's business; by hand it is one invoice.
        specs[0].lines = [line for spec in specs for line in spec.lines]
    return specs[:1]
