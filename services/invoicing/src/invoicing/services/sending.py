"""Sending invoices: the PDF is made and handed to notifications, to the billing address."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from common.db import Database, TenantSession
from common.errors import ConflictError
from common.messaging import outbox
from contracts.invoicing import InvoiceSent
from invoicing.documents import invoice_pdf
from invoicing.messages.publishes import invoice_fields
from invoicing.models import Customer, Invoice
from invoicing.services.invoices import check_issued, find_invoice

BATCH = 20


def send_invoice(session: TenantSession, invoice: Invoice, to: str | None = None) -> Invoice:
    """Send a locked invoice to ``to``, else the billing address. Raises ConflictError without any address."""
    check_issued(invoice)
    to = to or session.get_one(Customer, invoice.payer_id).billing_email
    if to is None:
        raise ConflictError("no_email", "this customer has no e-mail address")
    _send(session, invoice, to)
    return invoice


def _send(session: TenantSession, invoice: Invoice, to: str) -> None:
    now = session.now()
    invoice.send_at, invoice.send_problem = None, None
    invoice.sent_at, invoice.sent_to = now, to
    invoice.sendings += 1
    invoice.touch()
    session.flush()
    message = InvoiceSent(
        **invoice_fields(invoice), to=to, sent_at=now, pdf=invoice_pdf(session, invoice), sending=invoice.sendings
    )
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)


def send_due_invoices(database: Database, organization_id: UUID) -> None:
    """Send what automatic sending has put in line, a few per transaction."""
    while _send_batch(database, organization_id):
        pass


def _send_batch(database: Database, organization_id: UUID) -> int:
    with database.session(organization_id) as session:
        statement = (
            select(Invoice.id)
            .where(Invoice.send_at <= session.now())
            .order_by(Invoice.send_at, Invoice.id)
            .limit(BATCH)
        )
        ids = session.scalars(statement).all()
        for invoice_id in ids:
            invoice = find_invoice(session, invoice_id, lock=True)
            if invoice.send_at is not None:
                _send_or_note(session, invoice)
            session.commit()
        return len(ids)


def _send_or_note(session: TenantSession, invoice: Invoice) -> None:
    to = session.get_one(Customer, invoice.payer_id).billing_email
    if to is not None and invoice.state != "void":
        _send(session, invoice, to)
        return
    invoice.send_at = None
    invoice.send_problem = "no_email" if to is None else None
    session.flush()
