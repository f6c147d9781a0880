"""Guests of the storefront become members when they check out (GH-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common import audit
from common.db import TenantSession
from common.errors import NotFoundError
from common.ids import new_id
from members.config import MembersSettings
from members.models import Member
from members.services.locations import check_locations
from members.services.members import announce
from members.services.subjects import claims_of
from members.services.tokens import Tokens, issue_access_token


@dataclass(frozen=True, slots=True)
class Guest:
    """The member that a guest is, and a token to act for them; ``created`` when the e-mail address was new."""

    member_id: UUID
    created: bool
    tokens: Tokens


def receive_guest(
    session: TenantSession,
    settings: MembersSettings,
    *,
    name: str,
    email: str,
    phone: str | None = None,
    location_id: UUID | None = None,
    language: str | None = None,
    company: str | None = None,
) -> Guest:
    """The active member with this address, else a new one; parallel checkouts of one guest make one member.

    ``company`` is whom a new member's invoices are addressed to. A known member stays as they are: whoever types an
    address in learns and changes nothing about its owner. Raises InvalidError for an unknown location.
    """
    check_locations(session, [location_id], "/location_id")
    values: dict[str, Any] = {"name": name, "email": email, "phone": phone}
    billing = {"name": company} if company else {}
    member_id = _insert(session, {**values, "location_id": location_id, "language": language, "billing": billing})
    known = select(Member).where(func.lower(Member.email) == email.lower(), Member.status == "active")
    member = session.scalars(known).one()
    if member_id is not None:
        announce(session, member)
        audit.record(session, "member.created", member.subject, {"by": "checkout", **values})
    tokens = issue_access_token(session, settings, claims_of(member))
    return Guest(member.id, member_id is not None, tokens)


def guest_again(session: TenantSession, settings: MembersSettings, *, member_id: UUID) -> Guest:
    """A fresh token for a guest whose checkout goes on. Raises NotFoundError once the member is gone."""
    member = session.scalars(select(Member).where(Member.id == member_id, Member.status == "active")).one_or_none()
    if member is None:
        raise NotFoundError("member_not_found", "there is no such member")
    return Guest(member.id, False, issue_access_token(session, settings, claims_of(member)))


def _insert(session: TenantSession, values: dict[str, Any]) -> UUID | None:
    row = {
        **values,
        "id": new_id(),
        "organization_id": session.organization_id,
        "status": "active",
        "version": 1,
        "created_at": session.now(),
    }
    statement = insert(Member).values(row).on_conflict_do_nothing().returning(Member.id)
    return session.execute(statement).scalar()
