"""Who sees and changes which bookings (ACC-1): what is not theirs does not exist for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_

from booking.models import Booking
from booking.services.availability import Viewer
from booking.services.bookings import find_booking
from booking.services.checking import Asker
from common.auth import Principal, Role, current_principal
from common.db import TenantSession
from common.errors import FieldError, ForbiddenError, InvalidError, NotFoundError

EVERYBODY = tuple(Role)
BOOKERS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.MEMBER)
DESK = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)


def asker_of(principal: Principal, *, override: bool = True, is_checkout: bool = False) -> Asker:
    """The caller as use cases see them. Who checks out on the storefront books as a stranger (GH-1)."""
    return Asker(
        principal.subject,
        is_staff=principal.is_staff,
        is_stranger=is_checkout and not principal.is_staff,
        overrides=principal.is_staff and override,
        location_ids=locations_of(principal),
    )


def viewer_of(principal: Principal) -> Viewer:
    """The caller as somebody who looks at times: staff of some locations see those (ACC-1)."""
    return Viewer(principal.is_staff, principal.member_id, principal.company_id, locations_of(principal))


def locations_of(principal: Principal) -> frozenset[UUID] | None:
    """The locations that staff is bound to (ACC-1); None for all others."""
    return principal.location_ids if principal.is_staff else None


def visible_bookings(principal: Principal) -> list[ColumnElement[bool]]:
    """Conditions for the bookings that a caller may see."""
    if principal.is_staff:
        return [] if principal.location_ids is None else [Booking.location_id.in_(principal.location_ids)]
    mine: list[ColumnElement[bool]] = []
    if principal.member_id is not None:
        mine.append(Booking.member_id == principal.member_id)
    if principal.company_id is not None and _acts_for_company(principal):
        mine.append(Booking.company_id == principal.company_id)
    return [or_(*mine) if mine else false()]


def _acts_for_company(principal: Principal) -> bool:
    return principal.is_contact_person or principal.is_billing_person


def find_mine(session: TenantSession, booking_id: UUID, *, lock: bool = False) -> Booking:
    """A booking that the caller may see; NotFoundError for all others."""
    principal = current_principal()
    booking = find_booking(session, booking_id, lock=lock)
    if principal.is_staff:
        allowed = principal.location_ids is None or booking.location_id in principal.location_ids
    else:
        allowed = (principal.member_id is not None and booking.member_id == principal.member_id) or (
            principal.company_id is not None
            and booking.company_id == principal.company_id
            and _acts_for_company(principal)
        )
    if not allowed:
        raise NotFoundError("booking_not_found", "there is no such booking")
    return booking


def customer_of(principal: Principal, body: dict[str, Any]) -> tuple[UUID | None, UUID | None]:
    """Whom a request is for: staff say so; members book for themselves, contact persons also for their company.

    Raises InvalidError for somebody else, who as far as the caller knows does not exist.
    """
    member_id, company_id = body.get("member_id"), body.get("company_id")
    if principal.is_staff:
        return member_id, company_id
    if member_id is None and company_id is None:
        member_id = principal.member_id
    if member_id is not None and member_id != principal.member_id:
        raise _unknown("member")
    if company_id is not None and company_id != principal.company_id:
        raise _unknown("company")
    if company_id is not None and member_id is None and not _acts_for_company(principal):
        raise ForbiddenError("role_not_allowed", "only contact persons book for their company as a whole")
    return member_id, company_id


def require_staff_fields(principal: Principal, body: dict[str, Any]) -> None:
    """Prices are set by staff alone (PRI-5), and their notes are theirs. Raises ForbiddenError."""
    for name in ("custom_price", "is_free", "private_note"):
        # Wiping a note is writing one.
        if (body.get(name) or name in body.keys() & {"private_note"}) and not principal.is_staff:
            detail = f"only staff may set {name}"
            raise ForbiddenError("staff_only", detail, errors=[FieldError(f"/{name}", detail)])


def _unknown(what: str) -> InvalidError:
    detail = f"there is no such {what}"
    return InvalidError(f"unknown_{what}", detail, errors=[FieldError(f"/{what}_id", detail)])
