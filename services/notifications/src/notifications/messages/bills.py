"""Invoices, reminders and credit notes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.invoicing import (
    CreditNoteIssued,
    CustomerStandingChanged,
    InvoiceReminderDue,
    InvoiceSent,
    InvoiceState,
    InvoiceVoided,
    MembershipChanged,
)
from notifications.mail.envelope import AttachedFile
from notifications.mail.links import LINKS
from notifications.models import Notification
from notifications.services.memberships import watch_membership
from notifications.services.notifying import About, Notice, notify
from notifications.services.recipients import bill_recipient
from notifications.services.standing import tell_of_standing


def register(registry: Handlers) -> None:
    """Listen to what is owed. `InvoiceOverdue` is for webhooks: customers hear of it by the reminder ladder (PAY-8)."""
    registry.on(InvoiceSent)(_sent)
    registry.on(InvoiceReminderDue)(_reminder)
    registry.on(InvoiceVoided)(_voided)
    registry.on(CreditNoteIssued)(_credit_note)
    registry.on(MembershipChanged)(_membership)
    registry.on(CustomerStandingChanged)(_standing)


def _sent(session: TenantSession, message: InvoiceSent, _envelope: Envelope) -> None:
    notify(
        session,
        Notice(
            template="invoice",
            source=f"invoice:{message.invoice_id}:sending:{message.sending}",
            recipient=bill_recipient(session, message.customer, to=message.to or None),
            data=_invoice_data(session, message) | {"has_pdf": bool(message.pdf)},
            about=About(invoice_id=message.invoice_id),
            files=_pdf(message.number, message.pdf),
        ),
    )


def _reminder(session: TenantSession, message: InvoiceReminderDue, _envelope: Envelope) -> None:
    if message.payable.amount_minor <= 0:
        return
    notify(
        session,
        Notice(
            template="invoice-overdue" if message.day > 0 else "invoice-due",
            source=f"invoice:{message.invoice_id}:reminder:{message.due_date}:{message.day}",
            recipient=bill_recipient(session, message.customer),
            data=_invoice_data(session, message) | {"reminder": {"days": message.day, "is_today": message.day == 0}},
            about=About(invoice_id=message.invoice_id),
        ),
    )


def _voided(session: TenantSession, message: InvoiceVoided, _envelope: Envelope) -> None:
    # Whoever never got the invoice need not hear that it is void.
    mailed = select(Notification.id).where(
        Notification.invoice_id == message.invoice_id, Notification.template == "invoice"
    )
    if session.scalars(mailed).first() is None:
        return
    notify(
        session,
        Notice(
            template="invoice-voided",
            source=f"invoice:{message.invoice_id}:voided",
            recipient=bill_recipient(session, message.customer),
            data=_invoice_data(session, message),
            about=About(invoice_id=message.invoice_id),
        ),
    )


def _credit_note(session: TenantSession, message: CreditNoteIssued, _envelope: Envelope) -> None:
    note = {
        "number": message.number,
        "invoice_number": message.invoice_number,
        "issue_date": message.issue_date,
        "total": message.total,
        "to_account_credit": message.to_account_credit,
        "has_account_credit": bool(message.to_account_credit),
        "refund": message.refund,
        "has_refund": bool(message.refund),
        "reason": message.reason or "",
    }
    notify(
        session,
        Notice(
            template="credit-note",
            source=f"credit-note:{message.credit_note_id}",
            recipient=bill_recipient(session, message.customer),
            data={"credit_note": note, "has_pdf": bool(message.pdf)},
            about=About(invoice_id=message.invoice_id),
            files=_pdf(message.number, message.pdf),
        ),
    )


def _membership(session: TenantSession, message: MembershipChanged, _envelope: Envelope) -> None:
    watch_membership(session, message)


def _standing(session: TenantSession, message: CustomerStandingChanged, _envelope: Envelope) -> None:
    tell_of_standing(session, message)


def _invoice_data(session: TenantSession, message: InvoiceState) -> dict[str, Any]:
    invoice = {
        "number": message.number,
        "issue_date": message.issue_date,
        "due_date": message.due_date,
        "lines": [{"description": line.description, "total": line.total} for line in message.lines],
        "subtotal": message.subtotal,
        "tax_total": message.tax_total,
        "has_tax": bool(message.tax_total),
        "total": message.total,
        "paid": message.paid,
        "payable": message.payable,
        "is_open": message.payable.amount_minor > 0 and message.state != "void",
        "is_partly_paid": bool(message.payable) and message.payable != message.total,
        "collect": message.collect,
    }
    return {"invoice": invoice, "link": LINKS.invoice(session.organization, message.invoice_id)}


def _pdf(number: str, content: bytes) -> list[AttachedFile]:
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in number) or "document"
    return [AttachedFile(f"{name}.pdf", "application/pdf", content)] if content else []
