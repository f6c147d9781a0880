"""Who a token is about: staff users and members by their public id or their e-mail address."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from common.auth import Role
from common.db import TenantSession
from common.ids import decode_id
from members.models import Member, StaffUser

Person = StaffUser | Member
Kind = TypeVar("Kind", StaffUser, Member)
# Which of the two kinds somebody wants to sign in as; None: staff first.
Side = str | None


def people_with_email(session: TenantSession, email: str, side: Side = None) -> list[Person]:
    """Whoever may sign in with this address: the staff user first, then the member (an address may be both)."""
    found: list[Person] = []
    if side != "member":
        staff = select(StaffUser).where(func.lower(StaffUser.email) == email.lower(), StaffUser.status != "deactivated")
        found += session.scalars(staff)
    if side != "staff":
        members = select(Member).where(func.lower(Member.email) == email.lower(), Member.status == "active")
        found += session.scalars(members)
    return found


def find_person(session: TenantSession, subject: str, *, lock: bool = False) -> Person | None:
    """The person of a subject (``usr_…`` or ``mem_…``) who may still sign in; None otherwise."""
    person: Person | None
    if subject.startswith("usr_"):
        person = _by_subject(session, StaffUser, subject, lock)
    else:
        person = _by_subject(session, Member, subject, lock)
    return person if person is not None and may_sign_in(person) else None


def _by_subject(session: TenantSession, kind: type[Kind], subject: str, lock: bool) -> Kind | None:
    statement = select(kind).where(kind.id == decode_id(kind.id_prefix, subject))
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def may_sign_in(person: Person) -> bool:
    """Deactivated users, archived and erased members are kept out."""
    return person.status in ({"active", "invited"} if isinstance(person, StaffUser) else {"active"})


def claims_of(person: Person) -> dict[str, Any]:
    """What `common.auth.Principal.from_claims` reads about a person."""
    if isinstance(person, StaffUser):
        return {"sub": person.subject, "role": person.role, "locations": location_claim(person.location_ids)}
    return {
        "sub": person.subject,
        "role": Role.MEMBER.value,
        "locations": None,
        "member": str(person.id),
        "company": str(person.company_id) if person.company_id else None,
        "billing_person": person.is_billing_person,
        "contact_person": person.is_contact_person,
    }


def location_claim(location_ids: list[UUID] | None) -> list[str] | None:
    """A location scope as it stands in a token; None is everywhere."""
    return None if location_ids is None else [str(location_id) for location_id in location_ids]
