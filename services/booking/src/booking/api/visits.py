"""``/v1/passes`` and ``/v1/check-ins`` (PAS-1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import select

from booking.api.access import BOOKERS, DESK, EVERYBODY, locations_of
from booking.api.credit_grants import owned_by, require_customer
from booking.api.schemas import EmptySchema
from booking.models import CheckIn, DayPass
from booking.services import visits
from booking.services.references import require_locations
from common.auth import Principal, allow, current_principal
from common.errors import InvalidError, NotFoundError
from common.http import (
    Blueprint,
    Id,
    Instant,
    ListQuery,
    LongText,
    StrictSchema,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.http.schemas import CivilDate, example_id
from common.ids import decode_path_id

blueprint = Blueprint("visits", __name__, description="Day passes and check-ins")


class PassInSchema(StrictSchema):
    """Day passes given by hand; ``expires_on`` is the first day on which they are no good any more."""

    EXAMPLE = {"member_id": example_id("mem"), "days": 5}

    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    valid_from = CivilDate()
    expires_on = CivilDate(allow_none=True)
    location_ids = fields.List(Id("loc"), validate=validate.Length(max=200))
    note = LongText(allow_none=True)

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if bool(data.get("member_id")) == bool(data.get("company_id")):
            raise ValidationError("Say whose: either member_id or company_id.", "member_id")
        if data.get("expires_on") and data.get("valid_from") and data["expires_on"] <= data["valid_from"]:
            raise ValidationError("Must be after valid_from.", "expires_on")


class PassSchema(StrictSchema):
    """Day passes of a member, or of everybody in a company."""

    id = Id("pas")
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    membership_id = Id("mbs", allow_none=True)
    source = fields.String()
    days = fields.Integer()
    remaining = fields.Integer()
    valid_from = CivilDate()
    expires_on = CivilDate(allow_none=True)
    location_ids = fields.List(Id("loc"))
    note = fields.String(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class PassQuery(ListQuery):
    """Whose passes."""

    member_id = Id("mem")
    company_id = Id("com")


class CheckInInSchema(StrictSchema):
    """Who came in, and where. ``admit_anyway``: staff let somebody in without pass, membership or booking."""

    EXAMPLE = {"member_id": example_id("mem"), "location_id": example_id("loc")}

    member_id = Id("mem")
    location_id = Id("loc", required=True)
    admit_anyway = fields.Boolean(load_default=False)


class CheckInSchema(StrictSchema):
    """A visit; ``closed_by_system`` when its end was made up for at midnight."""

    id = Id("vis")
    member_id = Id("mem")
    location_id = Id("loc")
    pass_id = Id("pas", allow_none=True)
    checked_in_at = Instant()
    checked_out_at = Instant(allow_none=True)
    closed_by_system = fields.Boolean()
    version = fields.Integer()


class CheckInQuery(ListQuery):
    """Whose visits, where, and only those that last (`present`)."""

    member_id = Id("mem")
    location_id = Id("loc")
    present = fields.Boolean()


@blueprint.route("/v1/passes", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(PassQuery, location="query")
@blueprint.response(200, page_schema(PassSchema))
def list_passes(query: dict[str, Any]) -> dict[str, Any]:
    """List day passes of a member (with their company's) or a company."""
    session = current_session()
    statement = select(DayPass).where(*owned_by(DayPass, current_principal(), query))
    return page(session, statement, query, key=DayPass.id)


@blueprint.route("/v1/passes", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(PassInSchema)
@blueprint.response(201, PassSchema)
def give_pass(body: dict[str, Any]) -> DayPass:
    """Give day passes to a member or company."""
    session = current_session()
    require_customer(session, body.get("member_id"), body.get("company_id"))
    require_locations(session, body.get("location_ids", ()), "/location_ids")
    row = visits.give_pass(session, **body)
    remember_etag(row)
    return row


@blueprint.route("/v1/check-ins", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(CheckInQuery, location="query")
@blueprint.response(200, page_schema(CheckInSchema))
def list_check_ins(query: dict[str, Any]) -> dict[str, Any]:
    """List visits, newest first; members see their own."""
    principal = current_principal()
    statement = select(CheckIn)
    if (mine := locations_of(principal)) is not None:
        statement = statement.where(CheckIn.location_id.in_(mine))
    if not principal.is_staff:
        query = {**query, "member_id": principal.member_id}
    for name in ("member_id", "location_id"):
        if name in query:
            statement = statement.where(getattr(CheckIn, name) == query[name])
    if "present" in query:
        condition = CheckIn.checked_out_at.is_(None)
        statement = statement.where(condition if query["present"] else ~condition)
    return page(current_session(), statement, query, key=CheckIn.id)


@blueprint.route("/v1/check-ins", methods=["POST"])
@allow(*BOOKERS)
@idempotent()
@blueprint.arguments(CheckInInSchema)
@blueprint.response(201, CheckInSchema)
def create_check_in(body: dict[str, Any]) -> CheckIn:
    """Check a member in; the first visit of a day uses a day pass unless a membership or booking lets them in."""
    principal = current_principal()
    member_id = body.get("member_id") or principal.member_id
    if member_id is None:
        raise InvalidError("customer_missing", "say who came: member_id")
    if not principal.is_staff and member_id != principal.member_id:
        raise InvalidError("unknown_member", "there is no such member")
    if not _works_at(principal, body["location_id"]):
        raise InvalidError("unknown_location", "there is no such location")
    admit_anyway = body["admit_anyway"] and principal.is_staff
    row = visits.check_in_visitor(current_session(), member_id, body["location_id"], admit_anyway=admit_anyway)
    remember_etag(row)
    return row


@blueprint.route("/v1/check-ins/<visit_id>/check-out", methods=["POST"])
@allow(*BOOKERS)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(200, CheckInSchema)
def create_check_out(_body: dict[str, Any], visit_id: str) -> CheckIn:
    """End a visit."""
    session, principal = current_session(), current_principal()
    row = visits.find_visit(session, decode_path_id("vis", visit_id), lock=True)
    is_theirs = _works_at(principal, row.location_id) if principal.is_staff else row.member_id == principal.member_id
    if not is_theirs:
        raise NotFoundError("check_in_not_found", "there is no such check-in")
    visits.check_out(session, row)
    session.flush()
    remember_etag(row)
    return row


def _works_at(principal: Principal, location_id: UUID) -> bool:
    seen = locations_of(principal)
    return seen is None or location_id in seen
