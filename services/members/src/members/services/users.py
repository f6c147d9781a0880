"""Staff users: invite, change, deactivate; an organisation always keeps an owner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from common import audit
from common.auth import Principal, Role
from common.db import TenantSession
from common.errors import ConflictError, NotFoundError
from members.config import MembersSettings
from members.models import StaffUser
from members.services import entry_tokens
from members.services.customers import flush_unique
from members.services.locations import check_locations
from members.services.organizations import lock_organization
from members.services.rights import check_grant
from members.services.tokens import revoke_all

_EMAIL = ("uq_staff_user_email",)


def invite_user(session: TenantSession, settings: MembersSettings, principal: Principal, **values: Any) -> StaffUser:
    """Take a staff user in and have an invitation mailed.

    Raises ConflictError("email_taken"), ForbiddenError for more rights than one's own, InvalidError for a location.
    """
    check_grant(principal, values["role"], values.get("location_ids"))
    check_locations(session, values.get("location_ids") or (), "/location_ids")
    user = StaffUser(**values, status="invited", version=1, created_at=session.now())
    session.add(user)
    flush_unique(session, _EMAIL)
    audit.record(session, "user.invited", user.subject, values)
    entry_tokens.invite(session, settings, user)
    return user


def search(query: dict[str, Any]) -> Select[StaffUser]:
    """Users by the list's filters: q (name or e-mail), role, status."""
    statement = select(StaffUser)
    if query.get("q"):
        part = query["q"]
        statement = statement.where(
            or_(StaffUser.name.icontains(part, autoescape=True), StaffUser.email.icontains(part, autoescape=True))
        )
    if query.get("role"):
        statement = statement.where(StaffUser.role == query["role"])
    if query.get("status"):
        return statement.where(StaffUser.status == query["status"])
    return statement.where(StaffUser.status != "deactivated")


def find_user(session: TenantSession, user_id: UUID) -> StaffUser:
    """A staff user by id. Raises NotFoundError."""
    user = session.scalars(select(StaffUser).where(StaffUser.id == user_id)).one_or_none()
    if user is None:
        raise NotFoundError("user_not_found", "there is no such user")
    return user


def lock_user(session: TenantSession, principal: Principal, user_id: UUID) -> StaffUser:
    """A staff user to be changed. Raises NotFoundError, and ForbiddenError for one with more rights than the caller.

    The organisation is locked first: who is the last owner is settled one change after the other.
    """
    lock_organization(session, principal.organization_id)
    user = session.scalars(select(StaffUser).where(StaffUser.id == user_id).with_for_update()).one_or_none()
    if user is None:
        raise NotFoundError("user_not_found", "there is no such user")
    check_grant(principal, user.role, user.location_ids)
    return user


def change_user(session: TenantSession, principal: Principal, user: StaffUser, **values: Any) -> StaffUser:
    """Change a locked user (see `lock_user`); other rights end the user's sign-ins.

    Raises ConflictError("last_owner"), ConflictError("email_taken"), ForbiddenError and InvalidError.
    """
    check_grant(principal, values.get("role", user.role), values.get("location_ids", user.location_ids))
    check_locations(session, values.get("location_ids") or (), "/location_ids")
    if values.get("status") == "active" and user.password_hash is None and user.status != "active":
        values["status"] = "invited"
    before = (user.role, user.status, user.location_ids)
    if _is_owner(user) and not _stays_owner(user, values):
        _refuse_last_owner(session, user)
    for name, value in values.items():
        setattr(user, name, value)
    user.touch()
    flush_unique(session, _EMAIL)
    if before != (user.role, user.status, user.location_ids):
        revoke_all(session, user.subject, "rights_changed")
    if user.status == "deactivated" or "email" in values:
        # Links on their way to an old address must not open this account either.
        entry_tokens.forget_tokens(session, user.subject)
    audit.record(session, "user.changed", user.subject, values)
    return user


def invite_again(session: TenantSession, settings: MembersSettings, user: StaffUser) -> None:
    """Mail a new invitation; the earlier one stops working. Raises ConflictError for a user who is in already."""
    if user.status != "invited":
        raise ConflictError("cannot_be_invited", "only a user who has not come in yet can be invited again")
    entry_tokens.invite(session, settings, user)


def _is_owner(user: StaffUser) -> bool:
    return user.role == Role.OWNER and user.status == "active"


def _stays_owner(user: StaffUser, values: dict[str, Any]) -> bool:
    return bool(values.get("role", user.role) == Role.OWNER and values.get("status", user.status) == "active")


def _refuse_last_owner(session: TenantSession, user: StaffUser) -> None:
    others = select(func.count()).where(
        StaffUser.role == Role.OWNER, StaffUser.status == "active", StaffUser.id != user.id
    )
    if not session.scalar(others):
        raise ConflictError("last_owner", "an organisation keeps at least one owner; make somebody else owner first")
