"""``/v1/members``."""

from __future__ import annotations

from typing import Any

from common.auth import Role, allow, current_principal
from common.auth.access import STAFF
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id
from members.api.access import current_settings
from members.api.people_schemas import (
    MemberExportSchema,
    MemberInSchema,
    MemberPatchSchema,
    MemberQuery,
    MemberSchema,
    NewPasswordSchema,
    SetupMembersSchema,
)
from members.models import Member
from members.services import members, personal_data, setup

blueprint = Blueprint("members", __name__, description="People who use the space")
HOSTS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)


def _find(member_id: str, *, lock: bool = False) -> Member:
    return members.find_member(current_session(), current_principal(), decode_path_id("mem", member_id), lock=lock)


@blueprint.route("/v1/members", methods=["GET"])
@allow(*STAFF, Role.MEMBER)
@blueprint.arguments(MemberQuery, location="query")
@blueprint.response(200, page_schema(MemberSchema))
def list_members(query: dict[str, Any]) -> dict[str, Any]:
    """List members; members see themselves, contact persons their company's people."""
    statement = members.search(current_principal(), query)
    sorts: dict[str, Any] = {"name": Member.name, "created_at": Member.created_at}
    return page(current_session(), statement, query, key=Member.id, sorts=sorts)


@blueprint.route("/v1/members", methods=["POST"])
@allow(*HOSTS)
@idempotent()
@blueprint.arguments(MemberInSchema)
@blueprint.response(201, MemberSchema)
def create_member(body: dict[str, Any]) -> Member:
    """Take a member in."""
    member = members.create_member(current_session(), current_principal(), **body)
    remember_etag(member)
    return member


@blueprint.route("/v1/members/<member_id>", methods=["GET"])
@allow(*STAFF, Role.MEMBER)
@blueprint.response(200, MemberSchema)
def get_member(member_id: str) -> Member:
    """Show a member."""
    member = _find(member_id)
    remember_etag(member)
    return member


@blueprint.route("/v1/members/<member_id>", methods=["PATCH"])
@allow(*HOSTS, Role.MEMBER)
@blueprint.arguments(MemberPatchSchema(partial=True))
@blueprint.response(200, MemberSchema)
def change_member(body: dict[str, Any], member_id: str) -> Member:
    """Change a member; members may change their own name, addresses and language."""
    member = _find(member_id, lock=True)
    check_if_match(member)
    members.change_member(current_session(), current_principal(), member, **body)
    remember_etag(member)
    return member


@blueprint.route("/v1/members/<member_id>", methods=["DELETE"])
@allow(*HOSTS)
@blueprint.response(204)
def archive_member(member_id: str) -> None:
    """Archive a member: they leave the lists, can no longer sign in, and keep their history."""
    member = _find(member_id, lock=True)
    check_if_match(member)
    members.change_member(current_session(), current_principal(), member, status="archived")


@blueprint.route("/v1/members/<member_id>/invitation", methods=["POST"])
@allow(*HOSTS)
@idempotent()
@blueprint.response(202, MemberSchema)
def invite_member(member_id: str) -> Member:
    """Mail an invitation to the Member Portal; an earlier one stops working."""
    member = _find(member_id, lock=True)
    members.invite_member(current_session(), current_settings(), member)
    return member


@blueprint.route("/v1/members/<member_id>/password", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent(by_effect=True)
@blueprint.arguments(NewPasswordSchema)
@blueprint.response(204)
def give_password(body: dict[str, Any], member_id: str) -> None:
    """Rehearsal only: give a member a password."""
    members.give_password(current_session(), _find(member_id, lock=True), body["password"])


@blueprint.route("/v1/setup/members", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, SetupMembersSchema)
def get_setup() -> dict[str, Any]:
    """The members' side of the Getting paid checklist: counts, and what keeps bills from their people."""
    session = current_session()
    facts = setup.setup_facts(session)
    return {"facts": facts, "problems": setup.setup_problems(session, facts)}


@blueprint.route("/v1/members/<member_id>/export", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN, Role.MEMBER)
@blueprint.response(200, MemberExportSchema)
def export_member(member_id: str) -> dict[str, Any]:
    """Give out what is known about a member; members get their own."""
    principal = current_principal()
    member = members.find_own(current_session(), principal, decode_path_id("mem", member_id))
    return personal_data.export_member(current_session(), member)


@blueprint.route("/v1/members/<member_id>/erasure", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent()
@blueprint.response(200, MemberSchema)
def erase_member(member_id: str) -> Member:
    """Forget for good who a member was; what the books need stays on the issued documents."""
    return personal_data.erase_member(current_session(), _find(member_id, lock=True))
