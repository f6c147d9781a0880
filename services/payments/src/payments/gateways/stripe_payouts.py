"""Stripe's payouts, and the balance transactions that each is made of (https://docs.stripe.com/payouts/reconciliation).

Only automatic payouts are told apart by Stripe; what a manual one is made of nobody can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from common.money import Money
from payments.gateways.payouts import ItemKind, PayoutDetails, PayoutItem, PayoutState
from payments.gateways.stripe_errors import translated
from payments.gateways.stripe_money import from_stripe_amount
from payments.gateways.stripe_readings import reference_of

Json = Mapping[str, Any]
_PAGE = 100
_STATES = {"paid": PayoutState.PAID, "failed": PayoutState.FAILED, "canceled": PayoutState.FAILED}
# https://docs.stripe.com/reports/reporting-categories
_KINDS = {
    "charge": ItemKind.CHARGE,
    "charge_failure": ItemKind.CHARGE,
    "partial_capture_reversal": ItemKind.CHARGE,
    "refund": ItemKind.REFUND,
    "refund_failure": ItemKind.REFUND,
    "dispute": ItemKind.DISPUTE,
    "dispute_reversal": ItemKind.DISPUTE,
    "fee": ItemKind.FEE,
    "tax": ItemKind.FEE,
}
_OF_A_CHARGE = frozenset({ItemKind.CHARGE, ItemKind.REFUND, ItemKind.DISPUTE})


def list_payouts(client: stripe.StripeClient, since: datetime) -> Iterator[PayoutDetails]:
    """Payouts made at or after ``since``, the newest first. Raises as `PaymentGateway.payouts`."""
    with translated():
        found = client.v1.payouts.list({"created": {"gte": int(since.timestamp())}, "limit": _PAGE})
        for payout in found.auto_paging_iter():
            yield _payout(payout.to_dict())


def list_items(client: stripe.StripeClient, payout: PayoutDetails) -> Iterator[PayoutItem]:
    """The balance transactions in a payout, apart from the payout's own. Raises as `PaymentGateway.payout_items`."""
    if not payout.itemised:
        return
    with translated():
        wanted = {"payout": payout.reference, "limit": _PAGE, "expand": ["data.source"]}
        found = client.v1.balance_transactions.list(wanted)  # type: ignore[arg-type]  # a TypedDict with optional keys
        for transaction in found.auto_paging_iter():
            if transaction.type != "payout":
                yield _item(transaction.to_dict())


def _payout(payout: Json) -> PayoutDetails:
    return PayoutDetails(
        reference=str(payout["id"]),
        amount=from_stripe_amount(payout["amount"], payout["currency"]),
        state=_STATES.get(payout["status"], PayoutState.ON_THE_WAY),
        arrives_on=datetime.fromtimestamp(payout["arrival_date"], UTC).date(),
        made_at=datetime.fromtimestamp(payout["created"], UTC),
        itemised=bool(payout["automatic"]),
        complete=payout.get("reconciliation_status", "completed") != "in_progress",
    )


def _item(transaction: Json) -> PayoutItem:
    kind = _KINDS.get(transaction["reporting_category"], ItemKind.OTHER)
    source = transaction["source"] if isinstance(transaction["source"], Mapping) else {}
    amount = from_stripe_amount(transaction["amount"], transaction["currency"])
    return PayoutItem(
        kind=kind,
        amount=amount,
        fee=from_stripe_amount(transaction["fee"], transaction["currency"]),
        paid=_paid(source, amount) if kind in _OF_A_CHARGE else None,
        charge_reference=reference_of(source.get("payment_intent")),
        refund_reference=str(source["id"]) if source.get("object") == "refund" else None,
        reference=str(transaction["id"]),
    )


def _paid(source: Json, settled: Money) -> Money | None:
    """What the customer paid or got, in their currency: the balance may be kept in another one."""
    if "amount" not in source or "currency" not in source:
        return None
    paid = from_stripe_amount(source["amount"], source["currency"])
    return paid if settled.amount_minor >= 0 else -paid
