"""Rows and specs as the API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select

from common.db import TenantSession
from common.ids import encode_id
from common.money import Money
from invoicing.domain.document_states import is_overdue
from invoicing.models import CreditNote, Customer, Fee, Invoice, InvoiceLine, Membership
from invoicing.services.billing.specs import InvoiceSpec, LineSpec, tax_percent_of
from invoicing.services.credit_note_uses import left_of
from invoicing.services.invoices import today_of

Row = TypeVar("Row", Fee, Membership)
_INVOICE = (
    "id", "number", "state", "payment_state", "customer", "member_id", "company_id", "location_id", "currency",
    "issue_date", "due_date", "discount_total", "subtotal", "tax_total", "total", "paid", "credited", "payable",
    "note", "collect", "billing_run_id", "sent_at", "sent_to", "send_problem", "paid_at", "voided_at", "issued_at",
    "created_at", "version",
)  # fmt: skip
_LINE = (
    "id", "kind", "description", "explain", "period", "quantity", "unit_price", "discount_percent", "net",
    "tax_percent", "tax_category", "tax_parts", "tax", "total", "plan_id", "membership_id", "fee_id", "booking_id",
)  # fmt: skip
_NOTE = (
    "id", "number", "invoice_id", "member_id", "company_id", "issue_date", "currency", "lines", "subtotal",
    "tax_total", "total", "allocated", "to_account_credit", "refund", "reason", "created_at", "version",
)  # fmt: skip


def paid_by(session: TenantSession, rows: Iterable[Any]) -> list[dict[str, str]]:
    """Who pays for each row: id, kind and present name, read by one statement for all of them."""
    payer_ids = [row.payer_id for row in rows]
    statement = select(Customer.id, Customer.kind, Customer.name).where(Customer.id.in_(set(payer_ids)))
    known = {
        row.id: {
            "customer_id": encode_id("mem" if row.kind == "member" else "com", row.id),
            "customer_kind": row.kind,
            "customer_name": row.name,
        }
        for row in session.execute(statement)
    }
    return [known[payer_id] for payer_id in payer_ids]


def with_payers(session: TenantSession, rows: Sequence[Row]) -> Sequence[Row]:
    """Put who pays beside each row, for the answer."""
    for row, payer in zip(rows, paid_by(session, rows), strict=True):
        row.__dict__.update(payer)
    return rows


def show_invoices(session: TenantSession, invoices: Sequence[Invoice]) -> list[dict[str, Any]]:
    """Invoices with who pays them."""
    payers = paid_by(session, invoices)
    return [_show_invoice(session, invoice) | payer for invoice, payer in zip(invoices, payers, strict=True)]


def show_invoice(session: TenantSession, invoice: Invoice) -> dict[str, Any]:
    """One invoice with who pays it."""
    return show_invoices(session, [invoice])[0]


def _show_invoice(session: TenantSession, invoice: Invoice) -> dict[str, Any]:
    """An invoice with what is derived on reading: whether it is overdue (DOC-1)."""
    shown = {name: getattr(invoice, name) for name in _INVOICE}
    shown["overdue"] = is_overdue(
        invoice.state,  # type: ignore[arg-type]
        invoice.payable,
        invoice.due_date,
        today_of(session, invoice),
    )
    shown["lines"] = [show_line(line) for line in invoice.lines]
    shown["tax_breakdown"] = tax_rows(invoice.tax_breakdown, invoice.currency)
    return shown


def show_line(line: InvoiceLine) -> dict[str, Any]:
    """A stored line."""
    shown = {name: getattr(line, name) for name in _LINE}
    return shown | {"explain": line.explain or _explained(line.details, line)}


def _explained(details: Sequence[Mapping[str, Any]], terms: Any) -> str | None:
    """How the amount of a booking, fee or manual line came about; None where it is simply its price."""
    parts = [str(part["description"]) for part in details]
    if not parts and terms.discount_percent:
        parts.append(f"{format(terms.discount_percent.normalize(), 'f')} % off")
    elif not parts and terms.quantity != 1:
        price = terms.unit_price
        amount = price.times(terms.quantity)
        quantity = format(terms.quantity.normalize(), "f")
        parts.append(f"{quantity} × {price.decimal()} {price.currency} = {amount.decimal()} {price.currency}.")
    return ", ".join(parts) or None


def tax_rows(rows: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """The stored tax table with money."""
    return [
        {
            "category": row["category"],
            "percent": Decimal(row["percent"]),
            "name": row["name"],
            "reason": row["reason"],
            "taxable": Money(row["taxable_minor"], currency),
            "tax": Money(row["tax_minor"], currency),
        }
        for row in rows
    ]


def show_credit_notes(session: TenantSession, notes: Sequence[CreditNote]) -> list[dict[str, Any]]:
    """Credit notes with who gets them, and what is left of them."""
    left = left_of(session, notes)
    payers = paid_by(session, notes)
    return [_show_credit_note(note, left[note.id]) | payer for note, payer in zip(notes, payers, strict=True)]


def show_credit_note(session: TenantSession, note: CreditNote) -> dict[str, Any]:
    """One credit note with who gets it."""
    return show_credit_notes(session, [note])[0]


def _show_credit_note(note: CreditNote, left: Money) -> dict[str, Any]:
    shown = {name: getattr(note, name) for name in _NOTE} | {"left": left}
    shown["tax_breakdown"] = tax_rows(note.tax_breakdown, note.currency)
    return shown


def show_spec(spec: InvoiceSpec, payment_terms_days: int) -> dict[str, Any]:
    """An invoice that is not made (yet): a preview or dry run."""
    totals, is_member = spec.totals, spec.customer.kind == "member"
    return {
        "issue_date": spec.issue_date,
        "due_date": spec.due_date or spec.issue_date + timedelta(days=payment_terms_days),
        "currency": spec.currency,
        "member_id": spec.customer.id if is_member else None,
        "company_id": None if is_member else spec.customer.id,
        "customer": {"name": spec.customer.name},
        "location_id": spec.location_id,
        "lines": [_show_line_spec(line, each) for line, each in zip(spec.lines, totals.lines, strict=True)],
        "discount_total": totals.discount_total,
        "subtotal": totals.subtotal,
        "tax_breakdown": [
            {
                "category": row.tax.category,
                "percent": row.tax.percent,
                "name": row.tax.name,
                "reason": row.tax.reason,
                "taxable": row.taxable,
                "tax": row.amount,
            }
            for row in totals.tax_breakdown
        ],
        "tax_total": totals.tax_total,
        "total": totals.total,
    }


def _show_line_spec(line: LineSpec, totals: Any) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "description": line.description,
        "explain": line.explain or _explained(line.details, line.input),
        "period": None if line.period is None else {"start": line.period.start, "end": line.period.end},
        "quantity": line.input.quantity,
        "unit_price": line.input.unit_price,
        "discount_percent": line.input.discount_percent,
        "net": totals.net,
        "tax_percent": tax_percent_of(line),
        "tax_category": line.input.taxes[0].category,
        "tax_parts": [
            {"name": tax.name, "percent": tax.percent, "category": tax.category, "reason": tax.reason, "tax": amount}
            for tax, amount in zip(line.input.taxes, totals.taxes, strict=True)
        ],
        "tax": totals.tax,
        "total": totals.total,
        "plan_id": line.plan_id,
        "membership_id": line.membership_id,
        "fee_id": line.fee_id,
        "booking_id": line.booking_id,
    }
