"""``/v1/reports/payments`` and ``/v1/setup/payments``."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from common.auth import Role, allow, current_principal
from common.http import Blueprint, Id, MoneyField, StrictSchema, current_session
from common.http.schemas import CivilDate
from common.http.tables import CSV, ReportQuery, as_csv
from payments.api.access import at_locations
from payments.models import Payment
from payments.services.readiness import setup_facts, setup_problems
from payments.services.reconciliation import reconcile

blueprint = Blueprint("payment-reports", __name__, description="Reports about money")


class PaymentsReportQuery(ReportQuery):
    """Days in the organisation's zone, both included."""

    from_ = CivilDate(data_key="from", required=True)
    to = CivilDate(required=True)


class ReconciliationLineSchema(StrictSchema):
    """One gateway's money in the period."""

    gateway_id = Id("gtw", allow_none=True)
    provider = fields.String()
    collected = MoneyField()
    refunded = MoneyField()
    disputed = MoneyField()
    net = MoneyField(negative=True)
    payments = fields.Integer()
    unsettled = fields.Integer()


class ReconciliationSchema(StrictSchema):
    """Money by gateway."""

    from_ = fields.Date(data_key="from")
    to = fields.Date()
    gateways = fields.List(fields.Nested(ReconciliationLineSchema))


@blueprint.route("/v1/reports/payments", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN, Role.ACCOUNTANT)
@blueprint.arguments(PaymentsReportQuery, location="query")
@blueprint.response(200, ReconciliationSchema)
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def show_reconciliation(query: dict[str, Any]) -> dict[str, Any] | Response:
    """Show what came in and went out through each gateway by our own records."""
    seen = at_locations(current_principal(), Payment)
    lines = reconcile(current_session(), query["from_"], query["to"], seen)
    if query["format"] == "csv":
        return as_csv("payments", ReconciliationLineSchema(), lines)
    return {"from_": query["from_"], "to": query["to"], "gateways": lines}


class PaymentsProblemSchema(StrictSchema):
    """Something that keeps money from coming in."""

    code = fields.String()
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String()


class PaymentsSetupSchema(StrictSchema):
    """What payments adds to the checklist."""

    facts = fields.Dict()
    problems = fields.List(fields.Nested(PaymentsProblemSchema))


@blueprint.route("/v1/setup/payments", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
@blueprint.response(200, PaymentsSetupSchema)
def show_setup() -> dict[str, Any]:
    """Show what keeps money from coming in."""
    facts = setup_facts(current_session())
    return {"facts": facts, "problems": list(setup_problems(facts))}
