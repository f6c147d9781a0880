"""Nobody gives or takes more rights than they have."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from common.auth import Principal, Role
from common.errors import ForbiddenError


def check_grant(principal: Principal, role: str, location_ids: Collection[UUID] | None) -> None:
    """Raise ForbiddenError when a role or a location scope (None: everywhere) goes beyond the caller's own."""
    if role == Role.OWNER and principal.role is not Role.OWNER:
        raise ForbiddenError("role_not_allowed", "only an owner may do this with owners and their keys")
    scope = principal.location_ids
    if scope is not None and (location_ids is None or not scope.issuperset(location_ids)):
        raise ForbiddenError("location_not_in_scope", "you do not work at all of these locations")
