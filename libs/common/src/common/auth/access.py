"""Roles, the principal of a request, and the decorators that say who may call a route.

A route without one of the two decorators is refused when the app is built: nothing is open by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any
from uuid import UUID

from flask import g

from common.auth.tokens import unauthenticated
from common.errors import ForbiddenError


class Role(StrEnum):
    """What a person or key may do. Company roles of members are in `Principal`."""

    OWNER = "owner"
    ADMIN = "admin"
    FRONT_DESK = "front_desk"
    ACCOUNTANT = "accountant"
    MEMBER = "member"


STAFF = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller. ``location_ids`` None: every location; ``member_id`` is set for members."""

    subject: str
    organization_id: UUID
    role: Role
    location_ids: frozenset[UUID] | None = None
    member_id: UUID | None = None
    company_id: UUID | None = None
    is_billing_person: bool = False
    is_contact_person: bool = False

    @property
    def is_staff(self) -> bool:
        """Anybody but a member."""
        return self.role is not Role.MEMBER

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Principal:
        """Read a verified token's claims; raises UnauthenticatedError when something is missing."""
        try:
            locations = claims.get("locations")
            return cls(
                subject=claims["sub"],
                organization_id=UUID(claims["org"]),
                role=Role(claims["role"]),
                location_ids=None if locations is None else frozenset(UUID(value) for value in locations),
                member_id=_uuid(claims.get("member")),
                company_id=_uuid(claims.get("company")),
                is_billing_person=bool(claims.get("billing_person")),
                is_contact_person=bool(claims.get("contact_person")),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise unauthenticated("token_invalid", "the access token lacks a claim") from error


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def current_principal() -> Principal:
    """The caller of the running request; raises UnauthenticatedError when nobody is signed in."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        raise unauthenticated("unauthenticated", "sign in or send an API key")
    return principal


def allow(*roles: Role | str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only these roles call a route; stands right below ``@blueprint.route``."""
    allowed = tuple(Role(role) for role in roles)

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            principal = current_principal()
            if principal.role not in allowed:
                raise ForbiddenError("role_not_allowed", f"the role {principal.role} may not do this")
            return view(*args, **kwargs)

        guarded.__dict__["access"] = allowed
        return guarded

    return decorate


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a route to everybody; it must find its organisation by itself."""
    view.__dict__["access"] = ()
    return view
