"""The members' side of the Getting paid checklist and the billing doctor (DOMAIN section 0)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from common.db import TenantSession
from common.ids import encode_id
from members.models import Company, Member, StaffUser

_NAMED_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A leak and where it is mended; ``href`` is a path of the API."""

    code: str
    detail: str
    href: str
    about: str | None = None


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts of active people and companies, by name; whoever no invoice can be mailed to is counted apart."""
    homeless = func.count(Member.id).filter(Member.location_id.is_(None))
    members = select(*_counts("members", Member), homeless.label("members_without_location"))
    companies = select(*_counts("companies", Company))
    users = select(func.count(StaffUser.id)).where(StaffUser.status == "active")
    people = session.execute(members.where(Member.status == "active")).one()
    firms = session.execute(companies.where(Company.status == "active")).one()
    return {**people._mapping, **firms._mapping, "users": session.scalar(users) or 0}


def _counts(name: str, kind: type[Member] | type[Company]) -> list[Any]:
    """All of a kind, and those whom no mail reaches."""
    unreachable = func.count(kind.id).filter(_unreachable(kind))
    return [func.count(kind.id).label(name), unreachable.label(f"{name}_without_email")]


def setup_problems(session: TenantSession, facts: dict[str, Any]) -> list[Problem]:
    """What keeps bills from their people; at most a hundred of a kind are named."""
    return [*_organization(session), *_missing(facts), *_unreached(session, facts)]


def _unreachable(kind: type[Member] | type[Company]) -> Any:
    """Neither an address of their own nor one for bills."""
    billing_email = kind.billing["email"].astext
    return or_(kind.email.is_(None), kind.email == "") & or_(billing_email.is_(None), billing_email == "")


def _organization(session: TenantSession) -> Iterator[Problem]:
    profile = session.organization.profile
    if not profile.get("address"):
        yield Problem("no_seller_address", "invoices need the organisation's address", "/v1/organization")
    if not profile.get("vat_number") and not profile.get("tax_number"):
        yield Problem("no_seller_tax_number", "invoices need a VAT or tax number", "/v1/organization")


def _missing(facts: dict[str, Any]) -> Iterator[Problem]:
    if not facts["members"] + facts["companies"]:
        yield Problem("no_member", "there is nobody yet who could be billed", "/v1/members")


def _unreached(session: TenantSession, facts: dict[str, Any]) -> Iterator[Problem]:
    for kind, word, words in ((Member, "member", "members"), (Company, "company", "companies")):
        if not facts[f"{words}_without_email"]:
            continue
        found = select(kind.id, kind.name).where(kind.status == "active", _unreachable(kind))
        for row_id, name in session.execute(found.order_by(kind.name, kind.id).limit(_NAMED_PROBLEMS)):
            detail = f"{name} has no e-mail address: no invoice, receipt or reminder can be sent"
            yield Problem(f"{word}_without_email", detail, f"/v1/{words}/{encode_id(kind.id_prefix, row_id)}", name)
