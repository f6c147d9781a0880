"""Invoices made by hand: of given lines or of all unbilled items, issued at once or kept as a draft; and previews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError
from common.ids import new_id
from common.money import Money
from invoicing.domain.discounts import DocumentDiscount
from invoicing.domain.periods import Period
from invoicing.domain.taxes import tax_of
from invoicing.domain.totals import LineInput
from invoicing.models import Customer, Invoice, InvoiceLine
from invoicing.services.billing.bulk import insert_rows
from invoicing.services.billing.context import BillingContext, load_context
from invoicing.services.billing.issuing import issue_invoices, settle_sources
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.rows import invoice_row, line_rows
from invoicing.services.billing.selecting import load_unbilled
from invoicing.services.billing.specs import InvoiceSpec, LineSpec
from invoicing.services.credit_notes import stored_taxes
from invoicing.services.customers import known_location
from invoicing.services.invoices import check_newest, find_invoice, release_sources
from invoicing.services.memberships import check_currency, draft_membership
from invoicing.services.taxes import named_taxes


@dataclass(frozen=True, slots=True)
class ManualLine:
    """A line as somebody writes it."""

    description: str
    unit_price: Money
    quantity: Decimal = Decimal(1)
    discount_percent: Decimal = Decimal(0)
    tax_percent: Decimal | None = None
    tax_category: str | None = None
    taxes: Sequence[Mapping[str, Any]] | None = None
    prices_include_tax: bool | None = None
    revenue_account: str | None = None


@dataclass(frozen=True, slots=True)
class ManualDiscount:
    """A discount on the whole document."""

    percent: Decimal | None = None
    amount: Money | None = None
    tax_percent: Decimal | None = None


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
    issue_date = _issue_date(context, location_id, issue_date)
    if due_date is not None and due_date < issue_date:
        raise InvalidError("invalid_due_date", "an invoice cannot be due before it is issued")
    if lines is None:
        specs = _unbilled(session, context, customer, issue_date)
    else:
        specs = [InvoiceSpec(customer, issue_date, location_id, context.currency)]
        specs[0].lines = [_line(session, context, customer, line, location_id) for line in lines]
    for spec in specs:
        spec.note, spec.due_date, spec.discounts = note, due_date, _discounts(session, discounts)
    make = issue_invoices if issue else _keep_drafts
    rows = make(session, context, specs)
    session.expire_all()
    return find_invoice(session, rows[0]["id"])


def _issue_date(context: BillingContext, location_id: UUID | None, issue_date: date | None) -> date:
    today = context.today(location_id)
    if issue_date is not None and issue_date > today:
        raise InvalidError(
            "invalid_issue_date",
            "an invoice cannot be dated in the future",
            errors=[FieldError("/issue_date", "Must not be after today.")],
        )
    return issue_date or today


def _unbilled(session: TenantSession, context: BillingContext, customer: Customer, day: date) -> list[InvoiceSpec]:
    due = load_unbilled(session, customer.id)
    specs = plan_customer(context, due.customer, due.memberships, due.fees, CutOff(day, together_on=day))
    if not specs:
        raise ConflictError("nothing_to_invoice", "this customer has no unbilled items up to that day")
    if len(specs) > 1:
        # Grouping by location or kind is the run's business; by hand it is one invoice.
        specs[0].lines = [line for spec in specs for line in spec.lines]
    return specs[:1]


def _line(
    session: TenantSession, context: BillingContext, customer: Customer, line: ManualLine, location_id: UUID | None
) -> LineSpec:
    check_currency(session, line.unit_price)
    if line.taxes:
        taxes = named_taxes(line.taxes)
    elif line.tax_percent is None and line.tax_category is None:
        taxes = context.taxes(customer, line, location_id)
    else:
        taxes = (tax_of(line.tax_percent or Decimal(0), line.tax_category),)
    return LineSpec(
        "manual",
        line.description,
        LineInput(
            line.unit_price,
            line.quantity,
            line.discount_percent,
            taxes=taxes,
            prices_include_tax=context.includes_tax(line),
        ),
        location_id=location_id,
        revenue_account=line.revenue_account,
    )


def _discounts(session: TenantSession, discounts: Sequence[ManualDiscount]) -> list[DocumentDiscount]:
    for discount in discounts:
        check_currency(session, discount.amount)
    return [DocumentDiscount(each.percent, each.amount, each.tax_percent) for each in discounts]


def _keep_drafts(session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec]) -> list[dict[str, Any]]:
    return [_keep_draft(session, context, spec) for spec in specs]


def _keep_draft(session: TenantSession, context: BillingContext, spec: InvoiceSpec) -> dict[str, Any]:
    if not spec.lines:
        raise InvalidError("no_lines", "there is nothing to invoice")
    row = invoice_row(context, spec, 0, None)
    row |= {
        "state": "draft",
        "payment_state": "unpaid",
        "version": 1,
        "paid_at": None,
        "issued_at": None,
        "send_at": None,
    }
    insert_rows(session, Invoice.__table__, [row])  # type: ignore[arg-type]
    insert_rows(session, InvoiceLine.__table__, line_rows(spec, row))  # type: ignore[arg-type]
    settle_sources(session, context, [spec], [row])
    return row


def change_draft(
    session: TenantSession,
    invoice: Invoice,
    *,
    lines: Sequence[ManualLine] | None = None,
    discounts: Sequence[ManualDiscount] | None = None,
    **values: Any,
) -> Invoice:
    """Change a locked draft: note, due date, discounts, or all its manual lines. Raises ConflictError once issued."""
    context = load_context(session)
    spec = _spec_of(session, invoice)
    if lines is not None:
        kept = [line for line in spec.lines if line.kind != "manual"]
        spec.lines = kept + [_line(session, context, spec.customer, line, invoice.location_id) for line in lines]
    if discounts is not None:
        spec.discounts = _discounts(session, discounts)
    spec.note = values.get("note", spec.note)
    spec.due_date = values.get("due_date", spec.due_date)
    spec.issue_date = _issue_date(context, invoice.location_id, values.get("issue_date", spec.issue_date))
    if spec.due_date is not None and spec.due_date < spec.issue_date:
        raise InvalidError("invalid_due_date", "an invoice cannot be due before it is issued")
    version = invoice.version
    _remove_rows(session, invoice)
    _keep_draft(session, context, spec)
    session.expire_all()
    changed = find_invoice(session, invoice.id)
    changed.version = version + 1
    session.flush()
    return changed


def issue_draft(session: TenantSession, invoice: Invoice) -> Invoice:
    """Issue a locked draft, dated today. Raises ConflictError once issued."""
    context = load_context(session)
    spec = _spec_of(session, invoice)
    today = context.today(invoice.location_id)
    if spec.due_date is not None and spec.due_date - spec.issue_date == invoice.due_date - invoice.issue_date:
        spec.due_date = today + (invoice.due_date - invoice.issue_date)
    spec.issue_date = today
    _remove_rows(session, invoice)
    issue_invoices(session, context, [spec])
    session.expire_all()
    return find_invoice(session, invoice.id)


def drop_draft(session: TenantSession, invoice: Invoice) -> None:
    """Delete a locked draft; what it would have billed is billable again. Raises ConflictError once issued."""
    _check_draft(invoice)
    check_newest(session, invoice)
    release_sources(session, invoice)
    session.flush()
    _remove_rows(session, invoice)


def _check_draft(invoice: Invoice) -> None:
    if invoice.state != "draft":
        raise ConflictError("invoice_issued", "this invoice was issued and cannot be changed: make a credit note")


def _remove_rows(session: TenantSession, invoice: Invoice) -> None:
    session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id))
    session.execute(delete(Invoice).where(Invoice.id == invoice.id))
    session.expunge(invoice)


def _spec_of(session: TenantSession, invoice: Invoice) -> InvoiceSpec:
    """A draft as what it was made from."""
    _check_draft(invoice)
    currency = invoice.currency
    spec = InvoiceSpec(
        session.get_one(Customer, invoice.payer_id),
        invoice.issue_date,
        invoice.location_id,
        currency,
        [_line_spec_of(line) for line in invoice.lines],
        note=invoice.note,
        due_date=invoice.due_date,
        invoice_id=invoice.id,
    )
    spec.discounts = [
        DocumentDiscount(
            None if each["percent"] is None else Decimal(each["percent"]),
            None if each["amount_minor"] is None else Money(each["amount_minor"], currency),
            None if each["tax_percent"] is None else Decimal(each["tax_percent"]),
        )
        for each in invoice.discounts
    ]
    return spec


def _line_spec_of(line: InvoiceLine) -> LineSpec:
    period = None
    if line.period_start is not None and line.period_end is not None:
        period = Period(line.period_start, line.period_end)
    return LineSpec(
        line.kind,
        line.description,
        LineInput(
            line.unit_price,
            line.quantity,
            line.discount_percent,
            taxes=stored_taxes(line.taxes),
            prices_include_tax=line.prices_include_tax,
            amount=line.amount,
        ),
        explain=line.explain,
        details=line.details,
        membership_id=line.membership_id,
        fee_id=line.fee_id,
        booking_id=line.booking_id,
        plan_id=line.plan_id,
        location_id=line.location_id,
        revenue_account=line.revenue_account,
        period=period,
        used_days=line.used_days,
        full_days=line.full_days,
        billed_until=line.period_end if line.kind == "membership" else None,
        is_refundable=line.is_refundable,
    )


def preview_invoices(
    session: TenantSession, customer: Customer, as_of: date, what_if: dict[str, Any] | None = None
) -> list[InvoiceSpec]:
    """Every invoice that would be made for a customer up to and including ``as_of``, also for a membership that they
    do not have. Changes nothing."""
    context = load_context(session)
    due = load_unbilled(session, customer.id, lock=False)
    memberships = list(due.memberships)
    if what_if is not None:
        membership = draft_membership(session, context.settings, customer, member_id=customer.id, **what_if)
        membership.id = new_id()
        memberships.append(membership)
    return plan_customer(context, due.customer, memberships, due.fees, CutOff(as_of))
