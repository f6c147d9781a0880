"""``/v1/users`` (staff), ``/v1/me``."""

from __future__ import annotations

from typing import Any

from common.auth import Role, allow, current_principal
from common.auth.tokens import unauthenticated
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id
from members.api.access import current_settings
from members.api.people_schemas import (
    MeSchema,
    UserInSchema,
    UserPatchSchema,
    UserQuery,
    UserSchema,
)
from members.models import ApiKey, StaffUser
from members.services import users
from members.services.api_keys import find_api_key
from members.services.subjects import Person, find_person

blueprint = Blueprint("users", __name__, description="People who work for the operator")


@blueprint.route("/v1/users", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(UserQuery, location="query")
@blueprint.response(200, page_schema(UserSchema))
def list_users(query: dict[str, Any]) -> dict[str, Any]:
    """List staff users."""
    sorts: dict[str, Any] = {"name": StaffUser.name, "email": StaffUser.email, "created_at": StaffUser.created_at}
    return page(current_session(), users.search(query), query, key=StaffUser.id, sorts=sorts)


@blueprint.route("/v1/users", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent()
@blueprint.arguments(UserInSchema)
@blueprint.response(201, UserSchema)
def invite_user(body: dict[str, Any]) -> StaffUser:
    """Take a staff user in and mail an invitation."""
    user = users.invite_user(current_session(), current_settings(), current_principal(), **body)
    remember_etag(user)
    return user


@blueprint.route("/v1/users/<user_id>", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(200, UserSchema)
def get_user(user_id: str) -> StaffUser:
    """Show a staff user."""
    user = users.find_user(current_session(), decode_path_id("usr", user_id))
    remember_etag(user)
    return user


@blueprint.route("/v1/users/<user_id>", methods=["PATCH"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(UserPatchSchema(partial=True))
@blueprint.response(200, UserSchema)
def change_user(body: dict[str, Any], user_id: str) -> StaffUser:
    """Change a staff user; other rights end their sign-ins."""
    session, principal = current_session(), current_principal()
    user = users.lock_user(session, principal, decode_path_id("usr", user_id))
    check_if_match(user)
    users.change_user(session, principal, user, **body)
    remember_etag(user)
    return user


@blueprint.route("/v1/users/<user_id>", methods=["DELETE"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(204)
def deactivate_user(user_id: str) -> None:
    """Deactivate a staff user: they can no longer sign in, and what they did stays theirs."""
    session, principal = current_session(), current_principal()
    user = users.lock_user(session, principal, decode_path_id("usr", user_id))
    check_if_match(user)
    users.change_user(session, principal, user, status="deactivated")


@blueprint.route("/v1/users/<user_id>/invitation", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent()
@blueprint.response(202, UserSchema)
def invite_user_again(user_id: str) -> StaffUser:
    """Mail a new invitation; the earlier one stops working."""
    session, principal = current_session(), current_principal()
    user = users.lock_user(session, principal, decode_path_id("usr", user_id))
    users.invite_again(session, current_settings(), user)
    return user


@blueprint.route("/v1/me", methods=["GET"])
@allow(*Role)
@blueprint.response(200, MeSchema)
def get_me() -> dict[str, Any]:
    """Tell who is asking."""
    principal = current_principal()
    row = _who(principal.subject)
    return {
        "subject": principal.subject,
        "role": principal.role.value,
        "name": row.name,
        "email": getattr(row, "email", None),
        "language": getattr(row, "language", None),
        "member_id": principal.member_id,
        "company_id": principal.company_id,
        "location_ids": None if principal.location_ids is None else sorted(principal.location_ids),
        "is_billing_person": principal.is_billing_person,
        "is_contact_person": principal.is_contact_person,
    }


def _who(subject: str) -> Person | ApiKey:
    session = current_session()
    if subject.startswith("key_"):
        return find_api_key(session, decode_path_id("key", subject))
    person = find_person(session, subject)
    if person is None:
        raise unauthenticated("unauthenticated", "whoever this token was made for has left")
    return person
