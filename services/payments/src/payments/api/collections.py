"""``/v1/collections``."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import Role, allow, current_principal
from common.db import TenantSession
from common.http import Blueprint, Id, ListQuery, current_session, page, page_schema
from common.http.schemas import CivilDate
from payments.api.access import at_locations
from payments.api.schemas import CollectionSchema
from payments.models import Collection, Customer, Invoice, Payment

STATES = ("scheduled", "in_progress", "awaiting_method", "gave_up", "stopped", "off", "done")
blueprint = Blueprint("collections", __name__, description="What will be charged when, and what was tried")


class CollectionQuery(ListQuery):
    """Filters of the list; finished and switched-off ones only show when asked for by ``state``."""

    state = fields.String(validate=validate.OneOf(STATES))
    invoice_id = Id("inv")
    member_id = Id("mem")
    company_id = Id("com")
    from_ = CivilDate(data_key="from", metadata={"description": "First due date."})
    to = CivilDate(metadata={"description": "Last due date, included."})


@blueprint.route("/v1/collections", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
@blueprint.arguments(CollectionQuery, location="query")
@blueprint.response(200, page_schema(CollectionSchema))
def list_collections(query: dict[str, Any]) -> dict[str, Any]:
    """List planned and running collections, in the order of their due times."""
    session = current_session()
    statement = select(Collection).join(Invoice, Invoice.id == Collection.id)
    statement = statement.where(at_locations(current_principal(), Invoice))
    for name in ("member_id", "company_id"):
        if name in query:
            statement = statement.where(Invoice.customer[name].astext == str(query[name]))
    if "from_" in query:
        statement = statement.where(Invoice.due_date >= query["from_"])
    if "to" in query:
        statement = statement.where(Invoice.due_date <= query["to"])
    if "invoice_id" in query:
        statement = statement.where(Collection.id == query["invoice_id"])
    if "state" in query:
        statement = statement.where(Collection.state == query["state"])
    elif "invoice_id" not in query:
        statement = statement.where(Collection.state.not_in(("done", "off")))
    found = page(
        session, statement, query, key=Collection.id, sorts={"due_at": Collection.due_at}, default_sort="due_at"
    )
    return {**found, "items": _described(session, found["items"])}


def _described(session: TenantSession, rows: list[Collection]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    invoices = {invoice.id: invoice for invoice in session.scalars(select(Invoice).where(Invoice.id.in_(ids)))}
    attempts: dict[UUID | None, list[Payment]] = defaultdict(list)
    made = select(Payment).where(Payment.invoice_id.in_(ids), Payment.source != "manual").order_by(Payment.attempt)
    for payment in session.scalars(made):
        attempts[payment.invoice_id].append(payment)
    payers = [invoice.payer_id for invoice in invoices.values()]
    known = session.scalars(select(Customer).where(Customer.id.in_(payers)))
    names = {customer.id: customer.name for customer in known}
    return [_describe(row, invoices[row.id], attempts[row.id], names) for row in rows]


def _describe(row: Collection, invoice: Invoice, attempts: list[Payment], names: dict[UUID, str]) -> dict[str, Any]:
    owner = {name: UUID(text) for name in ("member_id", "company_id") if (text := invoice.customer.get(name))}
    return {
        "invoice_id": row.id,
        "invoice_number": invoice.number,
        "member_id": owner.get("member_id"),
        "company_id": owner.get("company_id"),
        "customer_name": names.get(invoice.payer_id or invoice.id) or invoice.customer.get("name"),
        "amount": invoice.payable,
        "due_date": invoice.due_date,
        "due_at": row.due_at,
        "next_attempt_at": row.next_attempt_at,
        "state": row.state,
        "stopped": row.stopped,
        "last_failure_code": row.last_failure_code,
        "attempts": attempts,
    }
