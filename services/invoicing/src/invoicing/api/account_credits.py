"""``/v1/account-credits``: money held for customers, which the next invoices use up (PAY-4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from common.auth import allow, current_principal
from common.http import Blueprint, Id, Instant, MoneyField, current_session, page, page_schema
from common.money import Money
from invoicing.api.access import EVERYBODY, own_payers, searched
from invoicing.api.schemas import PaidBySchema, SearchQuery
from invoicing.api.showing import paid_by
from invoicing.models import AccountCredit

blueprint = Blueprint("account-credits", __name__, description="Money held for customers")

# What remembers a refund that was asked for holds no money.
_HELD = AccountCredit.source != "to_refund"
_OF_INVOICES = frozenset({"overpayment", "refund_failed"})


class AccountCreditSchema(PaidBySchema):
    """Money held for a customer; ``left`` of it lowers the next invoice, the oldest first."""

    id = Id("acr")
    source = fields.String(metadata={"enum": ["overpayment", "credit_note", "deposit", "refund_failed"]})
    invoice_id = Id("inv", allow_none=True)
    credit_note_id = Id("crn", allow_none=True)
    amount = MoneyField()
    left = MoneyField()
    date = fields.Date()
    created_at = Instant()


class AccountCreditQuery(SearchQuery):
    """Filters of the list; ``is_left``: only what has something left, or only what was used up."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)
    is_left = fields.Boolean(load_default=None, allow_none=True)


@blueprint.route("/v1/account-credits", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(AccountCreditQuery, location="query")
@blueprint.response(200, page_schema(AccountCreditSchema))
def list_account_credits(query: dict[str, Any]) -> dict[str, Any]:
    """List account credit, the newest first."""
    statement = searched(select(AccountCredit).where(_HELD), AccountCredit, query["q"])
    if not current_principal().is_staff:
        statement = statement.where(AccountCredit.payer_id.in_(own_payers(current_principal())))
    for name in ("member_id", "company_id"):
        if query[name] is not None:
            statement = statement.where(AccountCredit.payer_id == query[name])
    if query["is_left"] is not None:
        statement = statement.where((AccountCredit.left_minor > 0) == query["is_left"])
    answer = page(current_session(), statement, query, key=AccountCredit.id)
    return {**answer, "items": _shown(answer["items"])}


def _shown(rows: Sequence[AccountCredit]) -> list[dict[str, Any]]:
    return [_show(row) | payer for row, payer in zip(rows, paid_by(current_session(), rows), strict=True)]


def _show(row: AccountCredit) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source,
        "invoice_id": row.source_id if row.source in _OF_INVOICES else None,
        "credit_note_id": row.source_id if row.source == "credit_note" else None,
        "amount": Money(row.amount_minor, row.currency),
        "left": Money(row.left_minor, row.currency),
        "date": row.dated,
        "created_at": row.created_at,
    }
