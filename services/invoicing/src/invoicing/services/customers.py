"""Customers: their copies, who pays for what, and the one lock of a customer's money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import FieldError, InvalidError, NotFoundError
from invoicing.domain.grouping import payer
from invoicing.models import Customer, Location


@dataclass(frozen=True, slots=True)
class Payer:
    """Who holds an item and who pays for it (BIL-5)."""

    customer: Customer
    member_id: UUID | None
    company_id: UUID | None


def find_customer(session: TenantSession, customer_id: UUID, kind: str | None = None) -> Customer:
    """A customer by id. Raises NotFoundError."""
    customer = session.get(Customer, customer_id)
    known = customer is not None and customer.organization_id == session.organization_id and customer.version > 0
    if customer is None or not known or kind not in (None, customer.kind):
        raise NotFoundError("customer_not_found", "there is no such member or company")
    return customer


def lock_customers(session: TenantSession, ids: Iterable[UUID]) -> dict[UUID, Customer]:
    """Lock customers in the order of their ids, which keeps two transactions from waiting for each other."""
    wanted = sorted(set(ids))
    rows = session.scalars(select(Customer).where(Customer.id.in_(wanted)).order_by(Customer.id).with_for_update())
    return {row.id: row for row in rows}


def lock_customer(session: TenantSession, customer_id: UUID) -> Customer:
    """Lock one customer's money until the transaction ends. Raises NotFoundError."""
    found = lock_customers(session, [customer_id]).get(customer_id)
    if found is None:
        raise NotFoundError("customer_not_found", "there is no such member or company")
    return found


def resolve_payer(
    session: TenantSession, member_id: UUID | None, company_id: UUID | None, *, is_personal: bool = False
) -> Payer:
    """Who pays: the company (also the member's own) unless the item is personal. The payer is locked.

    Raises InvalidError without any customer or for one that does not exist.
    """
    if member_id is None and company_id is None:
        raise InvalidError(
            "payer_missing", "name a member or a company", errors=[FieldError("/member_id", "Missing data.")]
        )
    member = _named(session, member_id, "member")
    company = _named(session, company_id, "company")
    if company_id is None and member is not None:
        company_id = member.company_id
    elif member is not None and company is not None and member.company_id not in (None, company.id):
        raise InvalidError("not_of_company", "this member belongs to another company")
    _, payer_id = payer(member_id, company_id, is_personal=is_personal)
    return Payer(lock_customer(session, payer_id), member_id, company_id)


def _named(session: TenantSession, customer_id: UUID | None, kind: str) -> Customer | None:
    if customer_id is None:
        return None
    try:
        return find_customer(session, customer_id, kind)
    except NotFoundError as error:
        pointer = f"/{kind}_id"
        raise InvalidError(
            f"{kind}_not_found", f"there is no such {kind}", errors=[FieldError(pointer, f"No such {kind}.")]
        ) from error


def known_location(session: TenantSession, location_id: UUID | None) -> Location | None:
    """A location that may be named in a request; None for None. Raises InvalidError for one that does not exist."""
    if location_id is None:
        return None
    location = session.get(Location, location_id)
    if location is None or location.organization_id != session.organization_id:
        raise InvalidError(
            "location_not_found", "there is no such location", errors=[FieldError("/location_id", "No such location.")]
        )
    return location


def zone_of(session: TenantSession, location_id: UUID | None) -> str:
    """The zone of a location, else of the organisation."""
    location = session.get(Location, location_id) if location_id else None
    return location.timezone if location is not None else session.organization.timezone
