"""``/v1/deposits``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from common.auth import allow, current_principal
from common.http import Blueprint, Id, current_session, idempotent, page, page_schema
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, check_visible, own_payers, searched
from invoicing.api.deposit_schemas import DepositMoveSchema, DepositSchema
from invoicing.api.schemas import SearchQuery
from invoicing.api.showing import paid_by
from invoicing.models import Deposit
from invoicing.services import deposits

blueprint = Blueprint("deposits", __name__, description="Refundable deposits held for customers")


class DepositQuery(SearchQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)


_SHOWN = ("id", "name", "invoice_id", "membership_id", "amount", "held", "state", "created_at", "version")


def _show(deposits_: Sequence[Deposit]) -> list[dict[str, Any]]:
    payers, entries = paid_by(current_session(), deposits_), deposits.entries_of(current_session(), deposits_)
    return [
        {
            **{name: getattr(deposit, name) for name in _SHOWN},
            **payer,
            "entries": entries[deposit.id],
            "member_id": deposit.payer_id if payer["customer_kind"] == "member" else None,
            "company_id": deposit.payer_id if payer["customer_kind"] == "company" else None,
        }
        for deposit, payer in zip(deposits_, payers, strict=True)
    ]


@blueprint.route("/v1/deposits", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(DepositQuery, location="query")
@blueprint.response(200, page_schema(DepositSchema))
def list_deposits(query: dict[str, Any]) -> dict[str, Any]:
    """List deposits, the newest first."""
    statement = searched(select(Deposit), Deposit, query["q"], Deposit.name)
    if not current_principal().is_staff:
        statement = statement.where(Deposit.payer_id.in_(own_payers(current_principal())))
    for name in ("member_id", "company_id"):
        if query[name] is not None:
            statement = statement.where(Deposit.payer_id == query[name])
    answer = page(current_session(), statement, query, key=Deposit.id)
    return {**answer, "items": _show(answer["items"])}


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
    return _show([deposits.release_deposit(session, deposit, **body)])[0]
