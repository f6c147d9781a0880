"""``/v1/invoices/{id}/payments`` and ``/v1/payments``."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from common import audit
from common.auth import Role, allow, current_principal
from common.clock import end_of_day, start_of_day
from common.errors import ForbiddenError, NotFoundError
from common.http import Blueprint, Id, ListQuery, current_session, idempotent, page, page_schema, remember_etag
from common.http.schemas import CivilDate
from common.ids import decode_path_id, encode_id
from payments.api.access import (
    CASHIERS,
    EVERYBODY,
    owned_by,
    permit_invoice,
    permit_method,
    permit_row,
    providers,
    replayed,
    request_fingerprint,
    request_key,
)
from payments.api.schemas import PayInSchema, PaymentSchema, RefundInSchema, RefundSchema
from payments.domain.payment_state import PaymentState
from payments.domain.refunds import refundable
from payments.models import Payment, Refund
from payments.services import charging, ledger, paying, refunding, refunds
from payments.services.surroundings import billing_settings

blueprint = Blueprint("payments", __name__, description="Money that moved")
PAYERS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.MEMBER)


class PaymentQuery(ListQuery):
    """Filters of the list."""

    invoice_id = Id("inv")
    member_id = Id("mem")
    company_id = Id("com")
    payment_method_id = Id("pmt")
    gateway_id = Id("gtw")
    checkout_id = Id("chk")
    state = fields.String(validate=validate.OneOf([state.value for state in PaymentState]))
    source = fields.String()
    provider = fields.String()
    from_ = CivilDate(data_key="from", metadata={"description": "First day on which it occurred, in the own zone."})
    to = CivilDate(metadata={"description": "Last day, included."})


_FILTERS = (
    "invoice_id",
    "member_id",
    "company_id",
    "payment_method_id",
    "gateway_id",
    "checkout_id",
    "state",
    "source",
    "provider",
)


@blueprint.route("/v1/invoices/<invoice_id>/payments", methods=["POST"])
@allow(*PAYERS)
@idempotent(required=True, by_effect=True)
@blueprint.arguments(PayInSchema)
@blueprint.response(201, PaymentSchema)
def pay_invoice(body: dict[str, Any], invoice_id: str) -> Any:
    """Pay an invoice now with a saved or a new method, or record money that was taken by hand."""
    invoice = decode_path_id("inv", invoice_id)
    asked = paying.Asked(request_key(), request_fingerprint(), body.get("return_url"))
    earlier = paying.payment_by_request(current_session(), asked.key, asked.fingerprint)
    payment = earlier or (_by_hand if "method" in body else _pay_now)(invoice, body, asked)
    remember_etag(payment)
    return replayed(payment) if earlier else payment


def _pay_now(invoice_id: UUID, body: dict[str, Any], asked: paying.Asked) -> Payment:
    session = current_session()
    settings = billing_settings(session)
    permit = partial(permit_invoice, current_principal(), pay_now=settings is not None and settings.pay_now)
    if "new_method" in body:
        return paying.pay_with_new_method(session, providers(), invoice_id, permit=permit, asked=asked)
    return paying.pay_now(
        session,
        providers(),
        invoice_id,
        body["payment_method_id"],
        permit=permit,
        permit_method=partial(permit_method, current_principal()),
        asked=asked,
    )


def _by_hand(invoice_id: UUID, body: dict[str, Any], asked: paying.Asked) -> Payment:
    principal = current_principal()
    if principal.role not in CASHIERS:
        raise ForbiddenError("role_not_allowed", "only staff record money that was taken by hand")
    return paying.record_manual(
        current_session(),
        providers(),
        invoice_id,
        permit=partial(permit_invoice, principal, pay_now=True),
        method=body["method"],
        amount=body.get("amount"),
        reference=body.get("reference"),
        day=body.get("date"),
        asked=asked,
    )


@blueprint.route("/v1/payments", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(PaymentQuery, location="query")
@blueprint.response(200, page_schema(PaymentSchema))
def list_payments(query: dict[str, Any]) -> dict[str, Any]:
    """List payments, the newest first; members see their own."""
    statement = select(Payment)
    for name in _FILTERS:
        if name in query:
            statement = statement.where(getattr(Payment, name) == query[name])
    session = current_session()
    zone = session.organization.timezone
    if "from_" in query:
        statement = statement.where(Payment.occurred_at >= start_of_day(query["from_"], zone))
    if "to" in query:
        statement = statement.where(Payment.occurred_at < end_of_day(query["to"], zone))
    statement = statement.where(owned_by(current_principal(), Payment)).options(joinedload(Payment.payer))
    return page(session, statement, query, key=Payment.id)


@blueprint.route("/v1/payments/<payment_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, PaymentSchema)
def get_payment(payment_id: str) -> Payment:
    """Show a payment."""
    payment = find_payment(decode_path_id("pay", payment_id))
    remember_etag(payment)
    return payment


@blueprint.route("/v1/payments/<payment_id>/refunds", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_schema(RefundSchema))
def list_refunds(query: dict[str, Any], payment_id: str) -> dict[str, Any]:
    """List what was given back of a payment."""
    payment = find_payment(decode_path_id("pay", payment_id))
    statement = select(Refund).where(Refund.payment_id == payment.id)
    return page(current_session(), statement, query, key=Refund.id)


def find_payment(payment_id: UUID) -> Payment:
    """A payment that the caller may see. Raises NotFoundError."""
    payment = current_session().scalars(select(Payment).where(Payment.id == payment_id)).one_or_none()
    if payment is None:
        raise NotFoundError("payment_not_found", "there is no such payment")
    permit_row(current_principal(), payment, "payment_not_found")
    return payment


@blueprint.route("/v1/payments/<payment_id>/refunds", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent(required=True, by_effect=True)
@blueprint.arguments(RefundInSchema)
@blueprint.response(201, RefundSchema)
def refund_payment(body: dict[str, Any], payment_id: str) -> Any:
    """Give money back through the gateway that took it: all that is left unless ``amount`` says less."""
    session, key, fingerprint = current_session(), request_key(), request_fingerprint()
    earlier = refunds.refund_by_request(session, key, fingerprint)
    if earlier is not None:
        return replayed(earlier)
    payment, invoice = charging.lock_payment(session, find_payment(decode_path_id("pay", payment_id)).id)
    amount = body["amount"] if "amount" in body else refundable(ledger.facts_of(payment))
    refund = refunds.begin_refund(
        session, payment, invoice, amount, reason=body.get("reason"), request_key=key, fingerprint=fingerprint
    )
    errand = refunding.errand_for_refund(session, providers(), refund)
    refunding.lease(session, refund)
    given = {"amount": str(amount.decimal()), "currency": amount.currency, "reason": refund.reason}
    audit.record(session, "refund.started", f"{payment_id}/{encode_id('ref', refund.id)}", given)
    session.commit()
    outcome = refunding.carry_refund(errand)
    payment, invoice, refund = refunds.lock_refund(session, errand.refund_id)
    refunds.report_refund(session, payment, invoice, refund, outcome)
    return refund
