"""What becomes of the part of a credit note that went to account credit: laid on another invoice, or given back.

Account credit of other credit notes and payments is laid on invoices at their issue (PAY-4), and so is this.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import ConflictError, InvalidError, NotFoundError
from common.money import Money
from invoicing.models import AccountCredit, CreditNote
from invoicing.services.credit_notes import allocation, announce
from invoicing.services.invoices import check_issued, find_invoice
from invoicing.services.payments import account_credit, recompute_invoice


def left_of(session: TenantSession, notes: Iterable[CreditNote]) -> dict[UUID, Money]:
    """What of credit notes is still account credit, by their ids, read by one statement.

    Unlike ``to_account_credit``, which tells what became of the amount, it falls with each use, and rises again when
    the use is taken back.
    """
    left = {note.id: Money(0, note.currency) for note in notes}
    statement = select(AccountCredit).where(AccountCredit.source == "credit_note", AccountCredit.source_id.in_(left))
    rows = session.scalars(statement.execution_options(populate_existing=True)) if left else ()
    return left | {row.source_id: Money(row.left_minor, row.currency) for row in rows}


def allocate_credit_note(
    session: TenantSession, note: CreditNote, invoice_id: UUID, amount: Money | None
) -> CreditNote:
    """Lay what a locked credit note has left as account credit on an open invoice of the same customer.

    Without ``amount`` as much as fits. Raises ConflictError when that is more than is left or payable.
    """
    invoice = find_invoice(session, invoice_id)
    if invoice.payer_id != note.payer_id:
        raise NotFoundError("invoice_not_found", "there is no such invoice")
    check_issued(invoice)
    credit = _account_credit_of(session, note)
    fits = min(credit.left_minor if credit else 0, invoice.payable_minor)
    wanted = fits if amount is None else _same_currency(note, amount)
    if credit is None or not 0 < wanted <= fits:
        raise ConflictError("allocation_exceeded", "the credit note or the invoice has less left")
    credit.left_minor -= wanted
    session.add(allocation(session, invoice, wanted, account_credit_id=credit.id))
    session.flush()
    recompute_invoice(session, invoice.id)
    return note


def refund_credit_note(session: TenantSession, note: CreditNote, amount: Money | None) -> CreditNote:
    """Give back what a locked credit note has left as account credit, as far as its invoice was paid (PAY-5).

    payments makes the refund. Raises ConflictError for more than that.
    """
    invoice = find_invoice(session, note.invoice_id)
    credit = _account_credit_of(session, note)
    fits = min(credit.left_minor if credit else 0, invoice.paid_minor)
    wanted = fits if amount is None else _same_currency(note, amount)
    if credit is None or not 0 < wanted <= fits:
        raise ConflictError("refund_exceeded", "less than that is left of the credit note, or was paid")
    credit.amount_minor -= wanted
    credit.left_minor -= wanted
    note.to_account_credit_minor -= wanted
    note.refund_minor += wanted
    note.touch()
    announce(session, note, invoice)
    return note


def keep_refund_of_note(session: TenantSession, note: CreditNote, refund: Money) -> None:
    """A refund of a locked credit note failed: its amount is account credit again."""
    part = min(_same_currency(note, refund), note.refund_minor)
    credit = _account_credit_of(session, note)
    if credit is None:
        invoice = find_invoice(session, note.invoice_id)
        credit = account_credit(session, invoice, "credit_note", note.id, 0, note.issue_date)
        session.add(credit)
    credit.amount_minor += part
    credit.left_minor += part
    note.to_account_credit_minor += part
    note.refund_minor -= part
    note.touch()
    session.flush()


def _account_credit_of(session: TenantSession, note: CreditNote) -> AccountCredit | None:
    return session.scalars(
        select(AccountCredit)
        .where(AccountCredit.source == "credit_note", AccountCredit.source_id == note.id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _same_currency(note: CreditNote, amount: Money) -> int:
    if amount.currency != note.currency:
        raise InvalidError("currency_mismatch", f"this credit note is in {note.currency}")
    return amount.amount_minor
