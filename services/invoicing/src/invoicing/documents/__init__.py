"""Documents as files: PDF with typst, e-invoices with factur-x."""

from __future__ import annotations

from common.db import TenantSession
from invoicing.models import Invoice


def invoice_pdf(session: TenantSession, invoice: Invoice) -> bytes:
    """The PDF of an issued invoice."""
    return b""
