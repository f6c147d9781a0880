"""Credit notes: made from an invoice, laid on what is payable, the rest kept as account credit or given back.

What becomes of the rest later: `credit_note_uses`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox
from common.money import Money
from invoicing.documents import credit_note_pdf
from invoicing.domain.credit_notes import CreditableLine, CreditLine, CreditNoteTotals, credit_note_totals
from invoicing.domain.document_states import check_not_locked
from invoicing.domain.taxes import Tax, Taxes
from invoicing.messages.publishes import credit_note_issued
from invoicing.models import CreditAllocation, CreditNote, CreditNoteLine, Invoice, InvoiceLine
from invoicing.services.billing.context import load_context
from invoicing.services.billing.rows import breakdown_values, seller_snapshot, tax_values
from invoicing.services.canonical import canonical_bytes
from invoicing.services.customers import lock_customer
from invoicing.services.deposits import creditable_deposits, hold_deposits
from invoicing.services.invoices import check_issued, today_of
from invoicing.services.numbers import chain_documents, take_numbers
from invoicing.services.payments import account_credit, recompute_invoice
from invoicing.services.plan_purchases import take_back_purchases


def create_credit_note(
    session: TenantSession,
    invoice: Invoice,
    amounts: Mapping[UUID, Money] | None = None,
    *,
    reason: str | None = None,
    refund: bool = False,
    explains: Mapping[UUID, str] | None = None,
) -> CreditNote:
    """Credit a locked invoice: ``amounts`` per line in its price mode, or all that is left (TAX-5, DOC-5).

    It goes against what is payable; the rest becomes account credit, or with ``refund`` is given back as far as it was
    paid. Raises ConflictError or InvalidError.
    """
    check_issued(invoice)
    context = load_context(session)
    issue_date = max(today_of(session, invoice), invoice.issue_date)
    check_not_locked(issue_date, context.settings.lock_date)
    if any(amount.currency != invoice.currency for amount in (amounts or {}).values()):
        raise InvalidError("currency_mismatch", f"this invoice is in {invoice.currency}")
    amounts = _within_deposits(session, invoice, amounts)
    lines = {line.id: line for line in invoice.lines}
    totals = credit_note_totals([creditable(line) for line in invoice.lines], invoice.currency, amounts)
    if totals.total.amount_minor < 0:
        raise InvalidError("negative_total", "a credit note cannot be negative")
    template = context.template("credit_note")
    (number,) = take_numbers(session, "credit_note", template, [(issue_date, context.code(invoice.location_id))])
    note = _note(session, invoice, totals, number, issue_date, reason)
    _split(note, invoice, totals.total.amount_minor, refund=refund)
    note_lines = [
        _note_line(note, lines[each.line_id], each, position, explains)
        for position, each in enumerate(totals.lines, start=1)
    ]
    session.add(note)
    session.flush()
    session.add_all(note_lines)
    for each in totals.lines:
        _count_credit(lines[each.line_id], each)
    credited = [lines[each.line_id] for each in totals.lines if not creditable(lines[each.line_id]).creditable]
    take_back_purchases(session, [line.fee_id for line in credited if line.fee_id is not None])
    _lay(session, invoice, note)
    session.flush()
    content = _content(seller_snapshot(context, invoice.location_id), note, note_lines, invoice)
    chain_documents(session, "credit_note", [(note.id, canonical_bytes(content))])
    recompute_invoice(session, invoice.id)
    if any(line.is_refundable for line in invoice.lines):
        hold_deposits(session, [invoice.id])
    announce(session, note, invoice)
    return note


def _within_deposits(
    session: TenantSession, invoice: Invoice, amounts: Mapping[UUID, Money] | None
) -> Mapping[UUID, Money] | None:
    """The amounts to credit, without what was released of deposits. Raises ConflictError when that was asked for."""
    limits = creditable_deposits(session, invoice)
    left = {line.id: creditable(line).creditable for line in invoice.lines}
    over = {line_id: limit for line_id, limit in limits.items() if limit < left[line_id].amount_minor}
    if amounts is not None:
        if any(line_id in amounts and amounts[line_id].amount_minor > limit for line_id, limit in over.items()):
            raise ConflictError("deposit_released", "this deposit was returned, applied or kept: it has less left")
        return amounts
    if not over:
        return None
    allowed = left | {line_id: Money(max(limit, 0), invoice.currency) for line_id, limit in over.items()}
    if not any(allowed.values()):
        raise ConflictError("nothing_to_credit", "All of this invoice has been credited, or released as a deposit.")
    return {line_id: amount for line_id, amount in allowed.items() if amount}


def creditable(line: InvoiceLine) -> CreditableLine:
    """A line as the domain credits it."""
    taxes = stored_taxes(line.taxes)
    currency = line.currency
    return CreditableLine(
        line.id,
        line.net,
        taxes,
        tuple(Money(tax["amount_minor"], currency) for tax in line.taxes),
        line.prices_include_tax,
        Money(line.credited_net_minor, currency),
        tuple(Money(amount, currency) for amount in line.credited_taxes),
    )


def stored_taxes(values: Sequence[Mapping[str, Any]]) -> Taxes:
    """A line's taxes from their stored form."""
    return tuple(Tax(value["category"], Decimal(value["percent"]), value["name"], value["reason"]) for value in values)


def _note(
    session: TenantSession,
    invoice: Invoice,
    totals: CreditNoteTotals,
    number: str,
    issue_date: date,
    reason: str | None,
) -> CreditNote:
    return CreditNote(
        id=new_id(),
        version=1,
        number=number,
        invoice_id=invoice.id,
        payer_id=invoice.payer_id,
        member_id=invoice.member_id,
        company_id=invoice.company_id,
        customer=invoice.customer,
        language=invoice.language,
        issue_date=issue_date,
        currency=invoice.currency,
        subtotal_minor=totals.subtotal.amount_minor,
        tax_breakdown=breakdown_values(
            (row.tax, (row.taxable.amount_minor, row.amount.amount_minor)) for row in totals.tax_breakdown
        ),
        tax_total_minor=totals.tax_total.amount_minor,
        total_minor=totals.total.amount_minor,
        reason=reason,
        created_at=session.now(),
    )


def _split(note: CreditNote, invoice: Invoice, total_minor: int, *, refund: bool) -> None:
    note.allocated_minor = min(total_minor, invoice.payable_minor)
    rest = total_minor - note.allocated_minor
    note.refund_minor = min(rest, invoice.paid_minor) if refund else 0
    note.to_account_credit_minor = rest - note.refund_minor


def _note_line(
    note: CreditNote, line: InvoiceLine, credit: CreditLine, position: int, explains: Mapping[UUID, str] | None
) -> CreditNoteLine:
    return CreditNoteLine(
        id=new_id(),
        credit_note_id=note.id,
        invoice_line_id=line.id,
        position=position,
        description=line.description,
        explain=(explains or {}).get(line.id),
        currency=note.currency,
        net_minor=credit.net.amount_minor,
        tax_minor=credit.tax.amount_minor,
        total_minor=credit.total.amount_minor,
        taxes=tax_values(stored_taxes(line.taxes), [part.amount_minor for part in credit.taxes]),
    )


def _count_credit(line: InvoiceLine, credit: CreditLine) -> None:
    line.credited_net_minor += credit.net.amount_minor
    line.credited_taxes = [
        before + part.amount_minor for before, part in zip(line.credited_taxes, credit.taxes, strict=True)
    ]


def _lay(session: TenantSession, invoice: Invoice, note: CreditNote) -> None:
    if note.allocated_minor:
        session.add(allocation(session, invoice, note.allocated_minor, credit_note_id=note.id))
    if note.to_account_credit_minor:
        session.add(
            account_credit(session, invoice, "credit_note", note.id, note.to_account_credit_minor, note.issue_date)
        )


def allocation(session: TenantSession, invoice: Invoice, amount_minor: int, **source: UUID) -> CreditAllocation:
    """A part of a credit note or of account credit (its id is the ``source``) that is laid on an invoice."""
    return CreditAllocation(
        invoice_id=invoice.id,
        currency=invoice.currency,
        amount_minor=amount_minor,
        created_at=session.now(),
        **source,
    )


def _content(
    seller: dict[str, Any], note: CreditNote, lines: Sequence[CreditNoteLine], invoice: Invoice
) -> dict[str, object]:
    names = (
        "id", "number", "currency", "issue_date", "language", "customer", "subtotal_minor", "tax_breakdown",
        "tax_total_minor", "total_minor", "reason",
    )  # fmt: skip
    line_names = ("position", "description", "explain", "net_minor", "tax_minor", "total_minor", "taxes")
    content: dict[str, object] = {name: getattr(note, name) for name in names}
    content |= {"kind": "credit_note", "invoice_number": invoice.number, "invoice_date": invoice.issue_date}
    content["seller"] = seller
    content["lines"] = [{name: getattr(line, name) for name in line_names} for line in lines]
    return content


def announce(session: TenantSession, note: CreditNote, invoice: Invoice) -> None:
    """Tell the others about a credit note and what became of its amount."""
    session.flush()
    message = credit_note_issued(note, invoice, credit_note_pdf(session, note))
    outbox.add(session, message, aggregate_id=note.id, aggregate_version=note.version)


def find_credit_note(session: TenantSession, note_id: UUID, *, lock: bool = False) -> CreditNote:
    """A credit note by id; ``lock`` takes its payer's lock first. Raises NotFoundError."""
    statement = select(CreditNote).where(CreditNote.id == note_id).execution_options(populate_existing=True)
    note = session.scalars(statement).one_or_none()
    if note is None:
        raise NotFoundError("credit_note_not_found", "there is no such credit note")
    if lock:
        lock_customer(session, note.payer_id)
        note = session.scalars(statement.with_for_update()).one()
    return note
