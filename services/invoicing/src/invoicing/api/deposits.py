"""``/v1/deposits``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from common.auth import allow, current_principal
from common.http import Blueprint, Id, ListQuery, current_session, idempotent, page, page_schema
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, check_visible, own_payers
from invoicing.api.document_schemas import DepositMoveSchema, DepositSchema
from invoicing.models import Customer, Deposit
from invoicing.services import deposits

blueprint = Blueprint("deposits", __name__, description="Refundable deposits held for customers")


class DepositQuery(ListQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)


def _show(deposit: Deposit) -> dict[str, Any]:
    customer = current_session().get_one(Customer, deposit.payer_id)
    names = ("id", "name", "invoice_id", "membership_id", "amount", "held", "state", "created_at", "version")
    return {
        **{name: getattr(deposit, name) for name in names},
        "member_id": customer.id if customer.kind == "member" else None,
        "company_id": customer.id if customer.kind == "company" else None,
    }


@blueprint.route("/v1/deposits", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(DepositQuery, location="query")
@blueprint.response(200, page_schema(DepositSchema))
def list_deposits(query: dict[str, Any]) -> dict[str, Any]:
    """List deposits, the newest first."""
    statement = select(Deposit)
    if not current_principal().is_staff:
        statement = statement.where(Deposit.payer_id.in_(own_payers(current_principal())))
    for name in ("member_id", "company_id"):
        if query[name] is not None:
            statement = statement.where(Deposit.payer_id == query[name])
    answer = page(current_session(), statement, query, key=Deposit.id)
    return {**answer, "items": [_show(deposit) for deposit in answer["items"]]}


@blueprint.route("/v1/deposits/<deposit_id>/release", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(DepositMoveSchema)
@blueprint.response(200, DepositSchema)
def release_deposit(body: dict[str, Any], deposit_id: str) -> dict[str, Any]:
    """Return a deposit, apply it to what is owed, or keep it as forfeited."""
    session = current_session()
    deposit = deposits.find_deposit(session, decode_path_id("dep", deposit_id))
    check_visible(deposit)
    deposit = deposits.find_deposit(session, deposit.id, lock=True)
    return _show(deposits.release_deposit(session, deposit, **body))
