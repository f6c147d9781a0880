"""Drafts of invoices: kept, changed, issued, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import delete

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from common.money import Money
from invoicing.domain.discounts import DocumentDiscount
from invoicing.domain.periods import Period
from invoicing.domain.totals import LineInput
from invoicing.models import Customer, Fee, Invoice, InvoiceLine
from invoicing.services.billing.bulk import insert_rows
from invoicing.services.billing.context import BillingContext, load_context
from invoicing.services.billing.issuing import issue_invoices, settle_sources
from invoicing.services.billing.rows import invoice_row, line_rows
from invoicing.services.billing.specs import InvoiceSpec, LineSpec
from invoicing.services.credit_notes import stored_taxes
from invoicing.services.invoices import check_newest, find_invoice, release_sources
from invoicing.services.manual_lines import (
    ManualDiscount,
    ManualLine,
    manual_discounts,
    manual_issue_date,
    manual_line,
)


def keep_drafts(session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec]) -> list[dict[str, Any]]:
    """Store invoices as drafts, which bill their sources; returns their rows. Raises InvalidError without lines."""
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
        # A fee that was charged by hand is of this kind, too: it stays, for the draft bills it.
        kept = [line for line in spec.lines if line.kind != "manual" or line.fee_id is not None]
        spec.lines = kept + [manual_line(session, context, spec.customer, line, invoice.location_id) for line in lines]
    if discounts is not None:
        spec.discounts = manual_discounts(session, discounts)
    spec.note = values.get("note", spec.note)
    spec.due_date = values.get("due_date", spec.due_date)
    spec.issue_date = manual_issue_date(context, invoice.location_id, values.get("issue_date", spec.issue_date))
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


def take_off_draft(session: TenantSession, invoice: Invoice, fee: Fee) -> None:
    """Take a fee off a locked draft, which is deleted when nothing is left on it: the fee is unbilled again."""
    spec, version = _spec_of(session, invoice), invoice.version
    spec.lines = [line for line in spec.lines if line.fee_id != fee.id]
    rates = {tax.percent for line in spec.lines for tax in line.input.taxes}
    spec.discounts = [each for each in spec.discounts if each.tax_percent is None or each.tax_percent in rates]
    _remove_rows(session, invoice)
    if spec.lines:
        _keep_draft(session, load_context(session), spec)
        find_invoice(session, invoice.id).version = version + 1
    session.refresh(fee)
    fee.status, fee.invoice_id, fee.created_on = "unbilled", None, local_date(session.now(), invoice.timezone)
    session.flush()


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
