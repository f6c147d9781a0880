"""``/v1/memberships``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import allow
from common.db import TenantSession
from common.http import (
    Blueprint,
    Id,
    ListQuery,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, by_customer, check_visible, only_visible
from invoicing.api.schemas import (
    EndSchema,
    MembershipInSchema,
    MembershipPatchSchema,
    MembershipSchema,
    PauseSchema,
    PlanChangedSchema,
    PlanChangeSchema,
    ResumeSchema,
)
from invoicing.models import Membership
from invoicing.services import membership_changes as changes
from invoicing.services import memberships

blueprint = Blueprint("memberships", __name__, description="Plans held by members and companies")


class MembershipQuery(ListQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)
    plan_id = Id("pln", load_default=None)
    location_id = Id("loc", load_default=None)
    ended = fields.Boolean(load_default=None, allow_none=True)
    status = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))


def with_status(session: TenantSession, membership: Membership) -> Membership:
    """Put the status as of today beside the row, for the answer."""
    membership.__dict__["status"] = memberships.status_of(membership, memberships.today_of(session, membership))
    return membership


def _locked(membership_id: str) -> Membership:
    session = current_session()
    found = memberships.find_membership(session, decode_path_id("mbs", membership_id))
    check_visible(found)
    return memberships.find_membership(session, found.id, lock=True)


@blueprint.route("/v1/memberships", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(MembershipQuery, location="query")
@blueprint.response(200, page_schema(MembershipSchema))
def list_memberships(query: dict[str, Any]) -> dict[str, Any]:
    """List memberships."""
    session = current_session()
    statement = by_customer(only_visible(select(Membership), Membership), Membership, query)
    for name in ("plan_id", "location_id"):
        if query[name] is not None:
            statement = statement.where(getattr(Membership, name) == query[name])
    answer = page(session, statement, query, key=Membership.id, sorts={"start_date": Membership.start_date})
    found = [with_status(session, membership) for membership in answer["items"]]
    wanted = query["status"]
    return {**answer, "items": [each for each in found if wanted in (None, each.__dict__["status"])]}


@blueprint.route("/v1/memberships", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(MembershipInSchema)
@blueprint.response(201, MembershipSchema)
def create_membership(body: dict[str, Any]) -> Membership:
    """Give a member or company a plan."""
    session = current_session()
    membership = memberships.create_membership(session, **body)
    remember_etag(membership)
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, MembershipSchema)
def get_membership(membership_id: str) -> Membership:
    """Show a membership."""
    session = current_session()
    membership = memberships.find_membership(session, decode_path_id("mbs", membership_id))
    check_visible(membership)
    remember_etag(membership)
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>", methods=["PATCH"])
@allow(*DESK)
@blueprint.arguments(MembershipPatchSchema(partial=True))
@blueprint.response(200, MembershipSchema)
def change_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """Change a membership from its next period on."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    if "end_date" in body:
        changes.end_membership(session, membership, body.pop("end_date"))
    if body:
        memberships.change_membership(session, membership, **body)
    remember_etag(membership)
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>/end", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(EndSchema)
@blueprint.response(200, MembershipSchema)
def end_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """Set or take back the last day; what was billed beyond it is credited."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    changes.end_membership(session, membership, body.pop("end_date"), **body)
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>/pause", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(PauseSchema)
@blueprint.response(200, MembershipSchema)
def pause_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """Pause: no charge from the first to the last day."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    changes.pause_membership(session, membership, body["from_"], body["to"])
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>/resume", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(ResumeSchema)
@blueprint.response(200, MembershipSchema)
def resume_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """End a pause: the given day is charged again."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    changes.resume_membership(session, membership, body["date"])
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>/plan-change", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(PlanChangeSchema)
@blueprint.response(200, PlanChangedSchema)
def change_plan(body: dict[str, Any], membership_id: str) -> dict[str, Any]:
    """Change the plan, or with ``preview`` only show what that would cost."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    preview = body["preview"]
    changed = changes.change_plan(session, membership, day=body.pop("date"), **body)
    return {
        "date": changed.change.day,
        "timing": changed.timing,
        "lines": changes.change_lines(changed),
        "net": changed.change.net,
        "preview": preview,
        "membership": None if preview else with_status(session, changed.membership),
        "credit_note_ids": [note.id for note in changed.credit_notes],
    }
