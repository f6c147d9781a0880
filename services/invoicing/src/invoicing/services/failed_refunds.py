"""Refunds that did not reach the customer: the money is where it was before they were asked for (PAY-5).

A refund without a credit note: its payment counts as before. One of a credit note: the note's amount is account credit
again, to be refunded once more or used. Money for a void invoice: credit of the customer, if we know them.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from contracts.payments import PaymentRefundFailed
from invoicing.models import RefundCopy
from invoicing.services.credit_note_uses import keep_refund_of_note
from invoicing.services.credit_notes import announce, find_credit_note
from invoicing.services.invoices import find_invoice
from invoicing.services.payments import record_payment


def record_failed_refund(session: TenantSession, message: PaymentRefundFailed) -> None:
    """Undo a refund, once for all, whether it was heard of as made before, will be heard of later, or never was."""
    is_news = _keep(session, message)
    if not is_news or message.credit_note_id is None:
        record_payment(session, message)
        return
    note = find_credit_note(session, message.credit_note_id, lock=True)
    keep_refund_of_note(session, note, message.refund)
    record_payment(session, message)
    announce(session, note, find_invoice(session, note.invoice_id))


def _keep(session: TenantSession, message: PaymentRefundFailed) -> bool:
    """Mark a refund as failed; tells whether it was not marked yet."""
    values = {
        "id": message.refund_id,
        "organization_id": session.organization_id,
        "payment_id": message.payment_id,
        "invoice_id": message.invoice_id,
        "credit_note_id": message.credit_note_id,
        "request_id": message.request_id,
        "currency": message.refund.currency,
        "amount_minor": message.refund.amount_minor,
        "occurred_at": message.occurred_at,
        "failed": True,
    }
    statement = insert(RefundCopy).values(**values)
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={"failed": True, "request_id": statement.excluded.request_id},
        where=RefundCopy.failed.is_(False),
    )
    return session.execute(statement.returning(RefundCopy.id)).first() is not None
