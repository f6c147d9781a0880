"""Companies: create, find, change, archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select

from common import audit
from common.auth import Principal
from common.db import TenantSession
from common.errors import ConflictError, ForbiddenError, NotFoundError
from common.ids import encode_id
from common.messaging import outbox
from members.messages.publishes import company_changed
from members.models import Company, Member
from members.services.customers import assign, check_assignment, check_own_fields, within_scope


def create_company(session: TenantSession, principal: Principal, **values: Any) -> Company:
    """Take a company in. Raises InvalidError for an unknown location or a malformed VAT number."""
    check_assignment(session, principal, values)
    company = Company(status="active", version=1, created_at=session.now())
    changes = assign(session, company, {"billing": {}, **values})
    session.add(company)
    session.flush()
    announce(session, company)
    audit.record(session, "company.created", encode_id("com", company.id), changes)
    return company


def visible(principal: Principal) -> ColumnElement[bool]:
    """Which companies a caller may see: staff by location, members their own (ACC-1)."""
    if principal.is_staff:
        return within_scope(principal, Company)
    return false() if principal.company_id is None else Company.id == principal.company_id


def search(principal: Principal, query: dict[str, Any]) -> Select[Company]:
    """Companies by the list's filters: q (name or e-mail), email, location_id, status."""
    statement = select(Company).where(visible(principal))
    if query.get("q"):
        part = query["q"]
        statement = statement.where(
            or_(Company.name.icontains(part, autoescape=True), Company.email.icontains(part, autoescape=True))
        )
    if query.get("email"):
        statement = statement.where(func.lower(Company.email) == query["email"].strip().lower())
    if query.get("location_id"):
        statement = statement.where(Company.location_id == query["location_id"])
    return statement if query["status"] == "all" else statement.where(Company.status == query["status"])


def find_company(session: TenantSession, principal: Principal, company_id: UUID, *, lock: bool = False) -> Company:
    """A company that the caller may see; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Company).where(Company.id == company_id, visible(principal))
    company = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if company is None:
        raise NotFoundError("company_not_found", "there is no such company")
    return company


def change_company(session: TenantSession, principal: Principal, company: Company, **values: Any) -> Company:
    """Change a locked company; its contact persons may change some fields.

    Raises ForbiddenError, InvalidError, and ConflictError when a company with active members would be archived.
    """
    if not principal.is_staff:
        if not principal.is_contact_person:
            raise ForbiddenError("not_contact_person", "only a contact person may change the company")
        check_own_fields(values)
    if values.get("location_id") != company.location_id:
        check_assignment(session, principal, values)
    if values.get("status", "active") != "active":
        _refuse_with_members(session, company)
    changes = assign(session, company, values)
    company.touch()
    session.flush()
    announce(session, company)
    audit.record(session, "company.changed", encode_id("com", company.id), changes)
    return company


def _refuse_with_members(session: TenantSession, company: Company) -> None:
    belong = select(Member.id).where(Member.company_id == company.id, Member.status == "active").limit(1)
    if session.scalar(belong) is not None:
        raise ConflictError("company_has_members", "move or archive the company's members first")


def announce(session: TenantSession, company: Company) -> None:
    """Tell everybody a company's state."""
    outbox.add(session, company_changed(company), aggregate_id=company.id, aggregate_version=company.version)
