"""Checking the chain of issued documents against the rows that people see (DOC-3)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from common.db import TenantSession
from invoicing.domain.hashing import ChainLink, ChainReport, verify_chain
from invoicing.models import ChainedDocument, ChainHead, CreditNote, Invoice

_AT_A_TIME = 1000


def verify_documents(session: TenantSession) -> ChainReport:
    """Check every link of an organisation's chain, its end, and that each issued document is in it."""
    report = verify_chain(_links(session))
    if not report.intact:
        return report
    head = session.scalars(select(ChainHead)).one_or_none()
    if head is not None and (head.position, head.hash) != (report.checked, report.last_hash):
        return ChainReport(report.checked, report.last_hash, head.position, "the end of the chain is missing")
    missing = _issued(session) - report.checked
    if missing:
        return ChainReport(
            report.checked, report.last_hash, report.checked, f"{missing} documents are not in the chain"
        )
    return report


def _links(session: TenantSession) -> Iterator[ChainLink]:
    """All links in order, read a thousand at a time."""
    table = ChainedDocument
    position = 0
    while True:
        statement = select(table.position, table.canonical, table.previous_hash, table.hash).where(
            table.organization_id == session.organization_id, table.position > position
        )
        rows = session.execute(statement.order_by(table.position).limit(_AT_A_TIME)).all()
        for row in rows:
            yield ChainLink(row.position, bytes(row.canonical), row.previous_hash, row.hash)
        if len(rows) < _AT_A_TIME:
            return
        position = rows[-1].position


def _issued(session: TenantSession) -> int:
    invoices = session.scalar(select(func.count()).select_from(Invoice).where(Invoice.number.is_not(None))) or 0
    return invoices + (session.scalar(select(func.count()).select_from(CreditNote)) or 0)
