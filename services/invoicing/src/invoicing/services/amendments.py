"""Amending what was invoiced already: one command makes the credit note and frees the source (DOC-6)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError
from common.ids import new_id
from common.money import Money
from invoicing.models import CreditNote, Customer, Fee, Invoice, InvoiceLine
from invoicing.services.credit_notes import create_credit_note, creditable
from invoicing.services.currency import check_currency
from invoicing.services.customers import zone_of
from invoicing.services.fees import store_fee
from invoicing.services.invoices import find_invoice, void_invoice
from invoicing.services.plan_purchases import follow_fee, hand_over
from invoicing.services.settings import billing_settings
from invoicing.services.taxes import spell_fee_taxes


def take_back(session: TenantSession, fee: Fee, reason: str, *, refund: bool = False) -> CreditNote | None:
    """Take an invoiced fee of a locked customer back: void an unpaid invoice that has nothing else, else credit it.

    With ``refund`` what was paid goes back the way it came, else it becomes account credit.
    """
    if fee.status != "invoiced" or fee.invoice_id is None:
        raise ConflictError("fee_not_invoiced", f"this fee is {fee.status}")
    invoice = find_invoice(session, fee.invoice_id, lock=True)
    line = next(line for line in invoice.lines if line.fee_id == fee.id)
    note = None
    if invoice.state == "draft":
        raise ConflictError("fee_in_draft", "this fee is on a draft: change the draft")
    if _untouched(session, invoice) and len(invoice.lines) == 1:
        void_invoice(session, invoice, reason)
    elif creditable(line).creditable:
        amounts = {line.id: creditable(line).creditable}
        note = create_credit_note(session, invoice, amounts, reason=reason, refund=refund)
    line.released = True
    fee.status, fee.issue_on, fee.run_at = "amended", None, None
    fee.touch()
    session.flush()
    return note


def _untouched(session: TenantSession, invoice: Invoice) -> bool:
    """Whether no money came, nothing was credited by a note, and its day is not locked (BIL-8); account credit goes
    back with a void."""
    if invoice.state != "open" or invoice.paid_minor or invoice.processing_minor:
        return False
    lock_date = billing_settings(session).lock_date
    if lock_date is not None and invoice.issue_date <= lock_date:
        return False
    noted = select(CreditNote.id).where(CreditNote.invoice_id == invoice.id)
    return session.scalars(noted.limit(1)).first() is None


_COPIED = (
    "payer_id", "member_id", "company_id", "is_personal", "location_id", "source", "source_id", "part", "plan_id",
    "name", "details", "currency", "price_minor", "quantity", "discount_percent", "discount_minor", "amount_minor",
    "taxes", "listed_taxes", "tax_percent", "tax_category", "prices_include_tax", "revenue_account", "dated",
    "bill_in_advance", "is_refundable", "checkout_id",
)  # fmt: skip


def amend_fee(session: TenantSession, fee: Fee, **values: Any) -> tuple[Fee, CreditNote | None]:
    """Replace a locked, invoiced fee by a changed one: its line is credited and the new fee awaits the next run."""
    price: Money | None = values.pop("price", None)
    check_currency(session, price)
    if price is not None:
        values |= {"price_minor": price.amount_minor, "amount_minor": None}
    terms = {name: getattr(fee, name) for name in _COPIED} | spell_fee_taxes(values, fee)
    new = Fee(id=new_id(), status="unbilled", created_on=_today(session, fee), created_at=session.now(), **terms)
    hand_over(session, fee, new.id)
    note = take_back(session, fee, "amended")
    session.add(new)
    store_fee(session, billing_settings(session), session.get_one(Customer, fee.payer_id), new)
    follow_fee(session, new)
    return new, note


def _today(session: TenantSession, fee: Fee) -> date:
    return local_date(session.now(), zone_of(session, fee.location_id))


def line_of_fee(session: TenantSession, fee: Fee) -> InvoiceLine | None:
    """The line that bills a fee now."""
    return session.scalars(
        select(InvoiceLine).where(InvoiceLine.fee_id == fee.id, InvoiceLine.released.is_(False))
    ).one_or_none()
