"""Members: create, find, change, archive, invite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from common import audit
from common.auth import Principal
from common.db import TenantSession
from common.errors import ConflictError, FieldError, ForbiddenError, InvalidError, NotFoundError
from common.messaging import outbox
from members.config import MembersSettings
from members.messages.publishes import member_changed
from members.models import Company, Member
from members.services import entry_tokens
from members.services.customers import assign, check_assignment, check_own_fields, flush_unique, within_scope
from members.services.tokens import revoke_all

_EMAIL = ("uq_member_email",)


def create_member(session: TenantSession, principal: Principal, **values: Any) -> Member:
    """Take somebody in. Raises ConflictError("email_taken") and InvalidError for an unknown company or location."""
    check_assignment(session, principal, values)
    _check_company(session, values.get("company_id"))
    member = Member(status="active", version=1, created_at=session.now())
    changes = assign(session, member, {"billing": {}, **values})
    session.add(member)
    flush_unique(session, _EMAIL)
    announce(session, member)
    audit.record(session, "member.created", member.subject, changes)
    return member


def visible(principal: Principal) -> ColumnElement[bool]:
    """Whom a caller may see: staff by location, contact persons their company's people, members themselves (ACC-1)."""
    if principal.is_staff:
        return within_scope(principal, Member)
    own = Member.id == principal.member_id
    if principal.is_contact_person and principal.company_id is not None:
        return or_(own, Member.company_id == principal.company_id)
    return own


def search(principal: Principal, query: dict[str, Any]) -> Select[Member]:
    """Members by the list's filters: q (name or e-mail), email, company_id, location_id, status."""
    statement = select(Member).where(visible(principal))
    if query.get("q"):
        part = query["q"]
        statement = statement.where(
            or_(Member.name.icontains(part, autoescape=True), Member.email.icontains(part, autoescape=True))
        )
    if query.get("email"):
        statement = statement.where(func.lower(Member.email) == query["email"].strip().lower())
    for name in ("company_id", "location_id"):
        if query.get(name):
            statement = statement.where(getattr(Member, name) == query[name])
    return statement if query["status"] == "all" else statement.where(Member.status == query["status"])


def find_member(session: TenantSession, principal: Principal, member_id: UUID, *, lock: bool = False) -> Member:
    """A member whom the caller may see; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Member).where(Member.id == member_id, visible(principal))
    member = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if member is None:
        raise NotFoundError("member_not_found", "there is no such member")
    return member


def find_own(session: TenantSession, principal: Principal, member_id: UUID) -> Member:
    """As `find_member`, but other members of one's company stay hidden. Raises NotFoundError."""
    member = find_member(session, principal, member_id)
    if not principal.is_staff and member.id != principal.member_id:
        raise NotFoundError("member_not_found", "there is no such member")
    return member


def change_member(session: TenantSession, principal: Principal, member: Member, **values: Any) -> Member:
    """Change a locked member; people may change only some fields, and only their own.

    Raises ForbiddenError, ConflictError("email_taken"), ConflictError("member_erased") and InvalidError.
    """
    if not principal.is_staff:
        if member.id != principal.member_id:
            raise ForbiddenError("not_your_own", "you may change only your own record")
        check_own_fields(values)
    if member.status == "erased":
        raise ConflictError("member_erased", "this member's data was erased for good")
    if values.get("location_id") != member.location_id:
        check_assignment(session, principal, values)
    company_id = values.get("company_id", member.company_id)
    if company_id != member.company_id or _comes_back(member, values):
        _check_company(session, company_id)
    if values.get("email", member.email) != member.email:
        # Links on their way to the old address must not open this account.
        entry_tokens.forget_tokens(session, member.subject)
    changes = assign(session, member, values)
    if member.status != "active":
        revoke_all(session, member.subject, "archived")
    member.touch()
    flush_unique(session, _EMAIL)
    announce(session, member)
    audit.record(session, "member.changed", member.subject, changes)
    return member


def _comes_back(member: Member, values: Mapping[str, Any]) -> bool:
    """Whether an archived member is taken in again: their company may have been archived meanwhile."""
    return member.status != "active" and bool(values.get("status") == "active")


def _check_company(session: TenantSession, company_id: UUID | None) -> None:
    """The company is held, so that nobody archives it meanwhile."""
    if company_id is None:
        return
    wanted = select(Company.id).where(Company.id == company_id, Company.status == "active")
    if session.scalar(wanted.with_for_update(read=True)) is None:
        raise InvalidError(
            "unknown_company", "there is no such company", errors=[FieldError("/company_id", "No such company.")]
        )


def invite_member(session: TenantSession, settings: MembersSettings, member: Member) -> None:
    """Have an invitation to the Member Portal mailed. Raises ConflictError without an e-mail address or status."""
    if member.status != "active" or not member.email:
        raise ConflictError("cannot_be_invited", "only an active member with an e-mail address can be invited")
    entry_tokens.invite(session, settings, member)


def give_password(session: TenantSession, member: Member, password: str) -> None:
    """Give a member of a rehearsal a password, so that the Member Portal can be tried without a mailbox.

    Raises ConflictError in a live organisation: there people choose their own with an invitation.
    """
    if session.organization.mode != "rehearsal":
        raise ConflictError("not_a_rehearsal", "members choose their passwords themselves; send an invitation")
    if member.status != "active":
        raise ConflictError("cannot_be_invited", "only an active member can sign in")
    entry_tokens.set_password(session, member, password)


def announce(session: TenantSession, member: Member) -> None:
    """Tell everybody a member's state."""
    outbox.add(session, member_changed(member), aggregate_id=member.id, aggregate_version=member.version)
