"""Documents as files: PDF with typst, made of what was issued, byte for byte, and the present state of the payment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from common.db import TenantSession
from invoicing.documents.brand import brand_of
from invoicing.documents.einvoice import Flavor, einvoice_xml
from invoicing.documents.facturx_pdf import factur_x
from invoicing.documents.layout import document_layout
from invoicing.documents.typesetting import typeset
from invoicing.models import ChainedDocument, CreditNote, Invoice


def issued_content(session: TenantSession, document_id: UUID) -> dict[str, Any]:
    """What an issued document says, from its stored bytes (DOC-3)."""
    canonical = session.scalars(select(ChainedDocument.canonical).where(ChainedDocument.id == document_id)).one()
    content: dict[str, Any] = msgspec.json.decode(canonical)
    return content


def invoice_pdf(session: TenantSession, invoice: Invoice) -> bytes:
    """The PDF of an issued invoice, with the state of its payment (DOC-4)."""
    brand = brand_of(session.organization.profile)
    layout = document_layout(issued_content(session, invoice.id), payment_of(invoice), brand)
    return typeset(layout, invoice.issue_date, logo=brand.logo)


def invoice_factur_x(session: TenantSession, invoice: Invoice) -> bytes:
    """The archive PDF of an issued invoice with its e-invoice embedded (Factur-X, PDF/A-3)."""
    return factur_x(issued_content(session, invoice.id), brand_of(session.organization.profile))


def document_xml(session: TenantSession, document_id: UUID, flavor: Flavor) -> bytes:
    """The e-invoice of an issued document."""
    return einvoice_xml(issued_content(session, document_id), flavor)


def credit_note_pdf(session: TenantSession, note: CreditNote) -> bytes:
    """The PDF of a credit note."""
    brand = brand_of(session.organization.profile)
    return typeset(document_layout(issued_content(session, note.id), brand=brand), note.issue_date, logo=brand.logo)


def payment_of(invoice: Invoice) -> dict[str, Any]:
    """What the page says about the payment."""
    names = ("state", "payment_state", "paid_minor", "credited_minor", "payable_minor", "collect")
    return {name: getattr(invoice, name) for name in names}
