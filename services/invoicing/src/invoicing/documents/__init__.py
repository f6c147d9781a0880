"""Documents as files: PDF with typst, made of what was issued, byte for byte, and the present state of the payment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from common.db import TenantSession
from invoicing.documents.einvoice import Flavor, einvoice_xml
from invoicing.documents.facturx_pdf import factur_x
from invoicing.documents.layout import document_layout
from invoicing.documents.typesetting import typeset
from invoicing.models import ChainedDocument, CreditNote, Invoice


def issued_content(session: TenantSession, document_id: UUID) -> dict[str, Any]:
    """What an issued document says, from its stored bytes (DOC-3)."""
    canonical = session.scalars(
        select(ChainedDocument.canonical).where(ChainedDocument.document_id == document_id)
    ).one()
    content: dict[str, Any] = msgspec.json.decode(canonical)
    return content


def invoice_pdf(session: TenantSession, invoice: Invoice) -> bytes:
    """The PDF of an issued invoice, with the state of its payment (DOC-4)."""
    content = issued_content(session, invoice.id)
    return typeset(document_layout(content, payment_of(invoice)), invoice.issue_date)


def invoice_factur_x(session: TenantSession, invoice: Invoice) -> bytes:
    """The archive PDF of an issued invoice with its e-invoice embedded (Factur-X, PDF/A-3)."""
    content = issued_content(session, invoice.id)
    return factur_x(content)


def document_xml(session: TenantSession, document_id: UUID, flavor: Flavor) -> bytes:
    """The e-invoice of an issued document."""
    return einvoice_xml(issued_content(session, document_id), flavor)


def credit_note_pdf(session: TenantSession, note: CreditNote) -> bytes:
    """The PDF of a credit note."""
    return typeset(document_layout(issued_content(session, note.id)), note.issue_date)


def payment_of(invoice: Invoice) -> dict[str, Any]:
    """What the page says about the payment."""
    names = ("state", "payment_state", "paid_minor", "credited_minor", "payable_minor", "collect")
    return {name: getattr(invoice, name) for name in names}
