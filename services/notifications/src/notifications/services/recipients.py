"""Who is written to: at which address, in which language."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from common.db import TenantSession
from common.errors import TransientError
from contracts.parts import Customer
from notifications.models import CompanyCopy, MemberCopy


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to write to; an empty ``address`` means that we know of none."""

    address: str
    name: str
    language: str | None = None
    member_id: UUID | None = None
    company_id: UUID | None = None


def bill_recipient(session: TenantSession, customer: Customer, *, to: str | None = None) -> Recipient:
    """Whom a bill's mail goes to: as the message says, filled up from our copy.

    A message that says enough needs no copy; raises TransientError when it does not and the copy is not here yet.
    """
    copy = _copy(session, customer.member_id, customer.company_id)
    address = to or customer.email
    if address is None:
        address = _known(copy).billing_email or _known(copy).email
    return Recipient(
        address=address or "",
        name=customer.name or (copy.name if copy else "") or (address or ""),
        language=customer.language or (copy.billing_language or copy.language if copy else None),
        member_id=customer.member_id,
        company_id=customer.company_id,
    )


def person_recipient(session: TenantSession, member_id: UUID | None, company_id: UUID | None) -> Recipient:
    """Whom a booking's mail goes to: the member, or the company. Raises TransientError while the copy is not here."""
    copy = _known(_copy(session, member_id, company_id))
    return Recipient(copy.email or "", copy.name, copy.language, member_id, company_id)


def operator_recipient(session: TenantSession) -> Recipient:
    """The organisation's own people: the address of its profile."""
    organization = session.organization
    profile = organization.profile
    address = str(profile.get("alert_email") or profile.get("email") or "")
    return Recipient(address, organization.name, organization.language)


def _copy(session: TenantSession, member_id: UUID | None, company_id: UUID | None) -> MemberCopy | CompanyCopy | None:
    if member_id is not None:
        return session.get(MemberCopy, member_id)
    return session.get(CompanyCopy, company_id) if company_id is not None else None


def _known(copy: MemberCopy | CompanyCopy | None) -> MemberCopy | CompanyCopy:
    if copy is None:
        raise TransientError("the copy of this customer has not arrived yet")
    return copy


def person_language(session: TenantSession, member_id: UUID | None) -> str | None:
    """A member's language if we know it already."""
    member = session.get(MemberCopy, member_id) if member_id else None
    return member.language if member else None
