"""``/v1/memberships``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate
from sqlalchemy import not_, select

from common.auth import Role, allow, current_principal
from common.clock import local_date
from common.db import TenantSession
from common.errors import ForbiddenError
from common.http import (
    Blueprint,
    Id,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, by_customer, check_visible, only_visible, own_payers, searched
from invoicing.api.schemas import (
    EndSchema,
    MembershipDetailSchema,
    MembershipInSchema,
    MembershipPatchSchema,
    MembershipSchema,
    PauseSchema,
    PlanChangedSchema,
    PlanChangeSchema,
    ResumeSchema,
    SearchQuery,
)
from invoicing.api.showing import with_payers
from invoicing.models import Location, Membership
from invoicing.services import member_requests, memberships
from invoicing.services import membership_changes as changes
from invoicing.services.member_requests import MEMBER_CHANGES, MemberChange
from invoicing.services.membership_statuses import has_status, is_over

blueprint = Blueprint("memberships", __name__, description="Plans held by members and companies")


CHANGERS = (*DESK, Role.MEMBER)


class MembershipQuery(SearchQuery):
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


def with_statuses(session: TenantSession, found: Sequence[Membership]) -> Sequence[Membership]:
    """As `with_status` for many, with their zones read at once."""
    places = {membership.location_id for membership in found}
    statement = select(Location.id, Location.timezone).where(Location.id.in_(places))
    zones: dict[Any, str] = {row.id: row.timezone for row in session.execute(statement)}
    for membership in found:
        today = local_date(session.now(), zones.get(membership.location_id, session.organization.timezone))
        membership.__dict__["status"] = memberships.status_of(membership, today)
    return found


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
    statement = searched(statement, Membership, query["q"], Membership.plan_name)
    for name in ("plan_id", "location_id"):
        if query[name] is not None:
            statement = statement.where(getattr(Membership, name) == query[name])
    if query["status"] is not None:
        statement = statement.where(has_status(session, query["status"]))
    if query["ended"] is not None:
        statement = statement.where(is_over(session) if query["ended"] else not_(is_over(session)))
    answer = page(session, statement, query, key=Membership.id, sorts={"start_date": Membership.start_date})
    return {**answer, "items": with_statuses(session, with_payers(session, answer["items"]))}


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
@blueprint.response(200, MembershipDetailSchema)
def get_membership(membership_id: str) -> Membership:
    """Show a membership, and what the caller may do to it."""
    session = current_session()
    membership = memberships.find_membership(session, decode_path_id("mbs", membership_id))
    check_visible(membership)
    remember_etag(membership)
    with_payers(session, [membership])
    membership.__dict__.update(_offers(session, membership))
    return with_status(session, membership)


def _offers(session: TenantSession, membership: Membership) -> dict[str, Any]:
    principal = current_principal()
    if principal.is_staff:
        return {"earliest_end": changes.earliest_end_of(session, membership), "open_changes": MEMBER_CHANGES}
    return {
        "earliest_end": member_requests.earliest_own_end(session, membership),
        "open_changes": member_requests.open_changes(session, membership, own_payers(principal)),
    }


def _is_own_request(session: TenantSession, membership: Membership, change: MemberChange, *staff_only: Any) -> bool:
    """Whether a member asks, who then must be allowed to; what staff alone may say must be missing."""
    principal = current_principal()
    if principal.is_staff:
        return False
    member_requests.require_change(session, membership, change, own_payers(principal))
    if any(value not in (None, False) for value in staff_only):
        raise ForbiddenError("staff_only", "members change their memberships at the agreed terms")
    return True


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
@allow(*CHANGERS)
@idempotent(required=True)
@blueprint.arguments(EndSchema)
@blueprint.response(200, MembershipSchema)
def end_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """Set or take back the last day; what was billed beyond it is credited. Members end after what was billed."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    if _is_own_request(session, membership, "end", body["override"], body["reason"]):
        member_requests.end_own(session, membership, body["end_date"])
    else:
        changes.end_membership(session, membership, body.pop("end_date"), **body)
    return with_status(session, membership)


@blueprint.route("/v1/memberships/<membership_id>/pause", methods=["POST"])
@allow(*CHANGERS)
@idempotent(required=True)
@blueprint.arguments(PauseSchema)
@blueprint.response(200, MembershipSchema)
def pause_membership(body: dict[str, Any], membership_id: str) -> Membership:
    """Pause: no charge from the first to the last day. Members pause days that were not billed yet."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    is_own = _is_own_request(session, membership, "pause")
    pause = member_requests.pause_own if is_own else changes.pause_membership
    pause(session, membership, body["from_"], body["to"])
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
@allow(*CHANGERS)
@idempotent(required=True)
@blueprint.arguments(PlanChangeSchema)
@blueprint.response(200, PlanChangedSchema)
def change_plan(body: dict[str, Any], membership_id: str) -> dict[str, Any]:
    """Change the plan, or with ``preview`` only show what that would cost. Members do so at the plan's own terms."""
    session = current_session()
    membership = _locked(membership_id)
    check_if_match(membership)
    plan_id, preview = body.pop("plan_id"), body["preview"]
    own_terms = (body[name] for name in ("date", "timing", "price", "quantity", "discount_percent"))
    if _is_own_request(session, membership, "plan_change", *own_terms):
        changed = member_requests.change_own_plan(session, membership, plan_id, preview=preview)
    else:
        changed = changes.change_plan(session, membership, plan_id=plan_id, day=body.pop("date"), **body)
    return {
        "date": changed.change.day,
        "timing": changed.timing,
        "lines": changes.change_lines(changed),
        "net": changed.change.net,
        "preview": preview,
        "membership": None if preview else with_status(session, changed.membership),
        "credit_note_ids": [note.id for note in changed.credit_notes],
    }
