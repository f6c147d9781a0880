"""``/v1/payouts`` and ``/v1/reports/payouts``: what providers paid out, held against what we say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from common.auth import Role, allow, current_principal
from common.errors import NotFoundError
from common.http import Blueprint, Id, ListQuery, current_session, page, page_schema
from common.http.schemas import CivilDate
from common.http.tables import CSV, as_csv
from common.ids import decode_path_id
from payments.api.access import own_gateways, permit_reach
from payments.api.payout_schemas import (
    PayoutFeedSchema,
    PayoutItemSchema,
    PayoutLineSchema,
    PayoutReportSchema,
    PayoutSchema,
)
from payments.api.reports import PaymentsReportQuery
from payments.domain.reconciling import Verdict
from payments.models import Payment, Payout, PayoutFeed, PayoutItem
from payments.services.accounts import find_gateway
from payments.services.payout_report import report_lines
from payments.services.payout_sums import Period, summaries
from payments.services.payouts import fetch_soon

blueprint = Blueprint(
    "payouts", __name__, description="What providers paid out, and whether it agrees with our records"
)
READERS = (Role.OWNER, Role.ADMIN, Role.ACCOUNTANT)


class PayoutQuery(ListQuery):
    """Filters of the list; ``from`` and ``to`` are days of arrival, both included."""

    gateway_id = Id("gtw")
    state = fields.String(validate=validate.OneOf(["on_the_way", "paid", "failed"]))
    from_ = CivilDate(data_key="from")
    to = CivilDate()


class PayoutReportQuery(PaymentsReportQuery):
    """Of one gateway, unless of all."""

    gateway_id = Id("gtw")


@blueprint.route("/v1/payouts", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PayoutQuery, location="query")
@blueprint.response(200, page_schema(PayoutSchema))
def list_payouts(query: dict[str, Any]) -> dict[str, Any]:
    """List what providers paid out to the bank account, the newest first; fetched once a day."""
    statement = select(Payout).where(own_gateways(current_principal(), Payout.gateway_id))
    for name in ("gateway_id", "state"):
        if name in query:
            statement = statement.where(getattr(Payout, name) == query[name])
    if "from_" in query:
        statement = statement.where(Payout.arrives_on >= query["from_"])
    if "to" in query:
        statement = statement.where(Payout.arrives_on <= query["to"])
    sorts = {"made_at": Payout.made_at}
    return page(current_session(), statement, query, key=Payout.id, sorts=sorts, default_sort="-made_at")


@blueprint.route("/v1/payment-gateways/<gateway_id>/payouts", methods=["POST"])
@allow(*READERS)
@blueprint.response(202, PayoutFeedSchema)
def fetch_payouts(gateway_id: str) -> PayoutFeed:
    """Have a gateway's payouts fetched now and not in the morning."""
    gateway = find_gateway(current_session(), decode_path_id("gtw", gateway_id))
    permit_reach(current_principal(), gateway.location_id)
    return fetch_soon(current_session(), gateway.id)


@blueprint.route("/v1/payouts/<payout_id>", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, PayoutSchema)
def get_payout(payout_id: str) -> Payout:
    """Show a payout and the sums of its parts."""
    return _payout(decode_path_id("pyo", payout_id))


@blueprint.route("/v1/payouts/<payout_id>/items", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_schema(PayoutItemSchema))
def list_payout_items(query: dict[str, Any], payout_id: str) -> dict[str, Any]:
    """List what a payout is made of, each part with our payment where we know it."""
    payout = _payout(decode_path_id("pyo", payout_id))
    statement = select(PayoutItem).where(PayoutItem.payout_id == payout.id)
    found = page(current_session(), statement, query, key=PayoutItem.id, default_sort="id")
    return {**found, "items": _described(payout.gateway_id, found["items"])}


@blueprint.route("/v1/reports/payouts", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PayoutReportQuery, location="query")
@blueprint.response(200, PayoutReportSchema)
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def report_payouts(query: dict[str, Any]) -> dict[str, Any] | Response:
    """Hold what providers say against what we say: sums by gateway, and every difference.

    As CSV every comparison, those that agree, too.
    """
    session, gateway_id = current_session(), query.get("gateway_id")
    _permit_report(gateway_id)
    period = Period(query["from_"], query["to"], gateway_id)
    lines = report_lines(session, period)
    if query["format"] == "csv":
        return as_csv("payouts", PayoutLineSchema(), lines)
    counts = dict.fromkeys(Verdict, 0)
    differences = []
    for line in lines:
        counts[line.verdict] += 1
        if line.verdict is not Verdict.AGREES:
            differences.append(line)
    return {
        "from_": period.first,
        "to": period.last,
        "gateways": summaries(session, period),
        "counts": {verdict.value: count for verdict, count in counts.items()},
        "differences": differences,
    }


def _permit_report(gateway_id: UUID | None) -> None:
    """Staff of some locations compare a gateway of theirs; raises ForbiddenError, NotFoundError."""
    if current_principal().location_ids is not None:
        location_id = find_gateway(current_session(), gateway_id).location_id if gateway_id else None
        permit_reach(current_principal(), location_id)


def _payout(payout_id: UUID) -> Payout:
    mine = own_gateways(current_principal(), Payout.gateway_id)
    payout = current_session().scalars(select(Payout).where(Payout.id == payout_id, mine)).one_or_none()
    if payout is None:
        raise NotFoundError("payout_not_found", "there is no such payout")
    return payout


def _described(gateway_id: UUID, items: list[PayoutItem]) -> list[dict[str, Any]]:
    references = {item.charge_reference for item in items if item.charge_reference}
    statement = select(Payment).where(Payment.gateway_id == gateway_id, Payment.provider_reference.in_(references))
    statement = statement.options(joinedload(Payment.payer))
    payments = {payment.provider_reference: payment for payment in current_session().scalars(statement)}
    return [_describe(item, payments.get(item.charge_reference)) for item in items]


def _describe(item: PayoutItem, payment: Payment | None) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "amount": item.amount,
        "fee": item.fee,
        "payment_id": payment.id if payment else None,
        "invoice_id": payment.invoice_id if payment else None,
        "invoice_number": payment.invoice_number if payment else None,
        "customer_name": payment.customer_name if payment else None,
        "provider_reference": item.provider_reference or item.refund_reference or item.charge_reference,
    }
