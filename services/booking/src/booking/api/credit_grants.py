"""``/v1/credits``: balances, grants and the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import Select, or_, select

from booking.api.access import DESK, EVERYBODY
from booking.models import CreditEntry, CreditGrant, Customer
from booking.services import grants
from booking.services.references import require_locations, require_resources
from common.auth import Principal, allow, current_principal
from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.http import (
    Blueprint,
    Id,
    Instant,
    ListQuery,
    LongText,
    Quantity,
    StrictSchema,
    Text,
    current_session,
    idempotent,
    page,
    page_schema,
)
from common.http.schemas import CivilDate, example_id
from common.ids import encode_id

blueprint = Blueprint("credits", __name__, description="Allowances of booking hours")


class ScopeSchema(StrictSchema):
    """What credits may be spent on; nothing named is no limit."""

    resource_ids = fields.List(Id("res"), validate=validate.Length(max=200))
    resource_types = fields.List(Text(longest=60), validate=validate.Length(max=50))
    location_ids = fields.List(Id("loc"), validate=validate.Length(max=200))


class GrantInSchema(StrictSchema):
    """Credits given by hand; ``expires_on`` is the first day on which they are no good any more."""

    EXAMPLE = {"member_id": example_id("mem"), "hours": "10", "note": "For the trouble"}

    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    hours = Quantity(required=True, least="0.000001", most="10000")
    valid_from = CivilDate()
    expires_on = CivilDate(allow_none=True)
    scope = fields.Nested(ScopeSchema)
    note = LongText(allow_none=True)

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if bool(data.get("member_id")) == bool(data.get("company_id")):
            raise ValidationError("Say whose: either member_id or company_id.", "member_id")
        if data.get("expires_on") and data.get("valid_from") and data["expires_on"] <= data["valid_from"]:
            raise ValidationError("Must be after valid_from.", "expires_on")


def shown_scope(grant: CreditGrant) -> dict[str, list[str]]:
    """The stored scope with ids as the API writes them."""
    prefixes = {"resource_ids": "res", "location_ids": "loc"}
    return {
        name: [encode_id(prefixes[name], UUID(value)) if name in prefixes else value for value in values]
        for name, values in grant.scope.items()
    }


class GrantSchema(StrictSchema):
    """A grant with its balance, in hours."""

    id = Id("crd")
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    membership_id = Id("mbs", allow_none=True)
    source = fields.String()
    hours = Quantity()
    reserved = Quantity()
    consumed = Quantity()
    expired = Quantity()
    available = Quantity()
    valid_from = CivilDate()
    expires_on = CivilDate(allow_none=True)
    scope = fields.Function(shown_scope, metadata={"type": "object", "example": {"resource_types": ["meeting_room"]}})
    note = fields.String(allow_none=True)
    created_at = Instant()


class BalanceSchema(StrictSchema):
    """Sums over all grants of the list's filter, in hours."""

    granted = Quantity()
    reserved = Quantity()
    consumed = Quantity()
    expired = Quantity()
    available = Quantity()


class GrantPageSchema(page_schema(GrantSchema)):  # type: ignore[misc]
    """Grants, and the balance of them all."""

    balance = fields.Nested(BalanceSchema)


class EntrySchema(StrictSchema):
    """A line of the ledger."""

    id = Id("cre")
    grant_id = Id("crd")
    kind = fields.String()
    hours = Quantity()
    booking_id = Id("bkg", allow_none=True)
    at = Instant()


class CreditQuery(ListQuery):
    """Whose credits."""

    member_id = Id("mem")
    company_id = Id("com")


class EntryQuery(CreditQuery):
    """Whose ledger, or one grant's or booking's."""

    grant_id = Id("crd")
    booking_id = Id("bkg")


@blueprint.route("/v1/credits", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(CreditQuery, location="query")
@blueprint.response(200, GrantPageSchema)
def list_credits(query: dict[str, Any]) -> dict[str, Any]:
    """List grants and the balance of a member (with their company's) or a company."""
    session = current_session()
    statement = _mine(select(CreditGrant), query)
    found = page(session, statement, query, key=CreditGrant.id)
    return {**found, "balance": grants.balances_of(session.scalars(statement))}


@blueprint.route("/v1/credits", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(GrantInSchema)
@blueprint.response(201, GrantSchema)
def grant_credits(body: dict[str, Any]) -> CreditGrant:
    """Give credits to a member or company."""
    session = current_session()
    scope = body.get("scope") or {}
    require_customer(session, body.get("member_id"), body.get("company_id"))
    require_resources(session, scope.get("resource_ids", ()), "/scope/resource_ids")
    require_locations(session, scope.get("location_ids", ()), "/scope/location_ids")
    return grants.grant_credits(session, **{**body, "scope": _scope(scope)})


@blueprint.route("/v1/credits/ledger", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(EntryQuery, location="query")
@blueprint.response(200, page_schema(EntrySchema))
def list_entries(query: dict[str, Any]) -> dict[str, Any]:
    """List what became of credits: granted, reserved, consumed, released, expired."""
    session = current_session()
    grant_ids = _mine(select(CreditGrant.id), query)
    statement = select(CreditEntry).where(CreditEntry.grant_id.in_(grant_ids))
    for name in ("grant_id", "booking_id"):
        if name in query:
            statement = statement.where(getattr(CreditEntry, name) == query[name])
    return page(session, statement, query, key=CreditEntry.id)


def require_customer(session: TenantSession, member_id: UUID | None, company_id: UUID | None) -> None:
    """Refuse a member or company that is not there: InvalidError ``unknown_member`` or ``unknown_company``."""
    kind, customer_id = ("member", member_id) if member_id else ("company", company_id)
    statement = select(Customer.id).where(Customer.id == customer_id, Customer.kind == kind)
    if session.scalar(statement) is None:
        detail = f"there is no such {kind}"
        raise InvalidError(f"unknown_{kind}", detail, errors=[FieldError(f"/{kind}_id", detail)])


def owned_by(model: Any, principal: Principal, query: dict[str, Any]) -> list[Any]:
    """Conditions for what belongs to a member (with their company's) or a company; members see only their own."""
    member_id, company_id = query.get("member_id"), query.get("company_id")
    if not principal.is_staff:
        member_id, company_id = principal.member_id, None
    conditions = []
    if member_id is not None:
        of_company = select(Customer.company_id).where(Customer.id == member_id).scalar_subquery()
        conditions.append(or_(model.member_id == member_id, model.company_id == of_company))
    if company_id is not None:
        conditions.append(model.company_id == company_id)
    return conditions


def _mine(statement: Select[Any], query: dict[str, Any]) -> Select[Any]:
    return statement.where(*owned_by(CreditGrant, current_principal(), query))


def _scope(scope: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [value.hex if isinstance(value, UUID) else value for value in values] for name, values in scope.items()
    }
