"""``/v1/fees``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import allow
from common.http import (
    Blueprint,
    Id,
    StrictSchema,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, by_customer, check_visible, only_visible, searched
from invoicing.api.schemas import FeeInSchema, FeeSchema, FeeTermsSchema, SearchQuery, WaiverSchema
from invoicing.api.showing import with_payers
from invoicing.models import Fee
from invoicing.services import amendments, fees

blueprint = Blueprint("fees", __name__, description="One-off items")


class FeeQuery(SearchQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)
    status = fields.String(load_default=None, validate=validate.Length(max=20))
    source = fields.String(load_default=None, validate=validate.Length(max=20))


class AmendedSchema(StrictSchema):
    """The new fee, and the credit note of the old one (none when its invoice could be voided)."""

    fee = fields.Nested(FeeSchema)
    credit_note_id = Id("crn", allow_none=True)


def _shown(fee: Fee) -> Fee:
    fee.__dict__["booking_id"] = fee.source_id if fee.source in ("booking", "cancellation") else None
    return fee


def _locked(fee_id: str) -> Fee:
    session = current_session()
    found = fees.find_fee(session, decode_path_id("fee", fee_id))
    check_visible(found)
    return fees.find_fee(session, found.id, lock=True)


@blueprint.route("/v1/fees", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(FeeQuery, location="query")
@blueprint.response(200, page_schema(FeeSchema))
def list_fees(query: dict[str, Any]) -> dict[str, Any]:
    """List fees."""
    statement = by_customer(only_visible(select(Fee), Fee), Fee, query)
    statement = searched(statement, Fee, query["q"], Fee.name)
    for name in ("status", "source"):
        if query[name] is not None:
            statement = statement.where(getattr(Fee, name) == query[name])
    answer = page(current_session(), statement, query, key=Fee.id, sorts={"date": Fee.dated})
    return {**answer, "items": [_shown(fee) for fee in with_payers(current_session(), answer["items"])]}


@blueprint.route("/v1/fees", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(FeeInSchema)
@blueprint.response(201, FeeSchema)
def create_fee(body: dict[str, Any]) -> Fee:
    """Charge a customer for something once."""
    fee = fees.create_fee(current_session(), **body)
    remember_etag(fee)
    return _shown(fee)


@blueprint.route("/v1/fees/<fee_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, FeeSchema)
def get_fee(fee_id: str) -> Fee:
    """Show a fee."""
    fee = fees.find_fee(current_session(), decode_path_id("fee", fee_id))
    check_visible(fee)
    remember_etag(fee)
    with_payers(current_session(), [fee])
    return _shown(fee)


@blueprint.route("/v1/fees/<fee_id>", methods=["PATCH"])
@allow(*DESK)
@blueprint.arguments(FeeTermsSchema(partial=True))
@blueprint.response(200, FeeSchema)
def change_fee(body: dict[str, Any], fee_id: str) -> Fee:
    """Change a fee that is not invoiced yet."""
    fee = _locked(fee_id)
    check_if_match(fee)
    fees.change_fee(current_session(), fee, **body)
    remember_etag(fee)
    return _shown(fee)


@blueprint.route("/v1/fees/<fee_id>", methods=["DELETE"])
@allow(*DESK)
@blueprint.response(204)
def remove_fee(fee_id: str) -> None:
    """Remove a fee that is not invoiced yet."""
    fee = _locked(fee_id)
    check_if_match(fee)
    fees.drop_fee(current_session(), fee)


@blueprint.route("/v1/fees/<fee_id>/waiver", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(WaiverSchema)
@blueprint.response(200, FeeSchema)
def waive_fee(body: dict[str, Any], fee_id: str) -> Fee:
    """Waive a fee that is not invoiced yet; a booking's fee stays waived when the booking changes."""
    fee = _locked(fee_id)
    check_if_match(fee)
    return _shown(fees.drop_fee(current_session(), fee, "waived", body["reason"]))


@blueprint.route("/v1/fees/<fee_id>/amendment", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(FeeTermsSchema(partial=True))
@blueprint.response(201, AmendedSchema)
def amend_fee(body: dict[str, Any], fee_id: str) -> dict[str, Any]:
    """Change a fee that was invoiced: the old one is credited and a new one made, in one go (DOC-6)."""
    fee = _locked(fee_id)
    check_if_match(fee)
    new, note = amendments.amend_fee(current_session(), fee, **body)
    return {"fee": _shown(new), "credit_note_id": note.id if note else None}
