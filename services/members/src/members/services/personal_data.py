"""Personal data: what is known about a member, for the member; and erasure that keeps what the books must keep.

Invoices are the books, and they carry their own copies of whom they were addressed to. Here a member keeps the id, the
company and the location, and loses everything that tells who it was.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from common import audit
from common.audit import AuditEntry
from common.db import TenantSession
from members.models import Company, EntryToken, Member, SignIn
from members.services.members import announce

ERASED_NAME = "Erased member"


def export_member(session: TenantSession, member: Member) -> dict[str, Any]:
    """Everything that this service knows about a member; nothing of it is a secret of somebody else."""
    company = session.get(Company, member.company_id) if member.company_id else None
    sign_ins = session.scalars(select(SignIn).where(SignIn.subject == member.subject).order_by(SignIn.created_at))
    changes = audit.entries(session).where(AuditEntry.subject == member.subject)
    audit.record(session, "member.exported", member.subject)
    return {
        "member": member,
        "company_name": company.name if company else None,
        "sign_ins": sign_ins.all(),
        "changes": session.scalars(changes.order_by(AuditEntry.id)).all(),
        "exported_at": session.clock.now(),
    }


def erase_member(session: TenantSession, member: Member) -> Member:
    """Forget for good who a locked member was; once more changes nothing. Announced with status ``erased``."""
    if member.status == "erased":
        return member
    member.name, member.email, member.phone, member.language = ERASED_NAME, None, None, None
    member.billing, member.password_hash, member.last_sign_in_at = {}, None, None
    member.is_billing_person = member.is_contact_person = False
    member.status = "erased"
    member.touch()
    _forget_traces(session, member)
    session.flush()
    announce(session, member)
    audit.record(session, "member.erased", member.subject)
    return member


def _forget_traces(session: TenantSession, member: Member) -> None:
    """Sign-ins, links, and the values of earlier changes; that there were changes, and by whom, stays."""
    options = {"synchronize_session": False}
    session.execute(delete(SignIn).where(SignIn.subject == member.subject), execution_options=options)
    session.execute(delete(EntryToken).where(EntryToken.subject == member.subject), execution_options=options)
    about = (AuditEntry.organization_id == session.organization_id) & (AuditEntry.subject == member.subject)
    session.execute(update(AuditEntry).where(about).values(changes={}), execution_options=options)
    by = (AuditEntry.organization_id == session.organization_id) & (AuditEntry.actor == member.subject)
    session.execute(update(AuditEntry).where(by).values(address=None), execution_options=options)
