"""GoCardless' payouts and payout items. Items are told for payouts of the last six months only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import gocardless_pro

from common.clock import as_utc
from common.money import Money, round_half_up
from payments.gateways.gocardless_errors import translated
from payments.gateways.payouts import ItemKind, PayoutDetails, PayoutItem, PayoutState

Json = Mapping[str, Any]
_STATES = {"paid": PayoutState.PAID, "bounced": PayoutState.FAILED}
_KINDS = {
    "payment_paid_out": ItemKind.CHARGE,
    "payment_failed": ItemKind.CHARGE,
    "payment_charged_back": ItemKind.DISPUTE,
    "payment_refunded": ItemKind.REFUND,
    "refund": ItemKind.REFUND,
    "refund_funds_returned": ItemKind.REFUND,
}
_FEES = frozenset({"gocardless_fee", "app_fee", "revenue_share", "surcharge_fee"})


def list_payouts(client: gocardless_pro.Client, since: datetime) -> Iterator[PayoutDetails]:
    """Payouts made at or after ``since``, the newest first. Raises as `PaymentGateway.payouts`."""
    with translated():
        wanted = {"created_at[gte]": since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        for payout in client.payouts.all(params=wanted):
            yield _payout(payout.attributes)


def list_items(client: gocardless_pro.Client, payout: PayoutDetails) -> Iterator[PayoutItem]:
    """What a payout is made of, its fees in one item: they are told in tenths, and rounded in the payout's sum only.

    Raises as `PaymentGateway.payout_items`.
    """
    currency, fees = payout.amount.currency, Decimal(0)
    with translated():
        for item in client.payout_items.all(params={"payout": payout.reference}):
            if item.attributes["type"] in _FEES:
                fees += Decimal(str(item.attributes["amount"]))
            else:
                yield _item(item.attributes, currency)
    if fees:
        yield PayoutItem(ItemKind.FEE, Money(round_half_up(fees), currency), Money.zero(currency))


def _payout(payout: Json) -> PayoutDetails:
    made_at = as_utc(datetime.fromisoformat(payout["created_at"]))
    arrival = payout.get("arrival_date")
    return PayoutDetails(
        reference=str(payout["id"]),
        amount=Money(int(payout["amount"]), payout["currency"]),
        state=_STATES.get(payout["status"], PayoutState.ON_THE_WAY),
        arrives_on=date.fromisoformat(arrival) if arrival else made_at.date(),
        made_at=made_at,
    )


def _item(item: Json, currency: str) -> PayoutItem:
    links = item.get("links") or {}
    amount = Money(round_half_up(Decimal(str(item["amount"]))), currency)
    kind = _KINDS.get(item["type"], ItemKind.OTHER)
    return PayoutItem(
        kind=kind,
        amount=amount,
        fee=Money.zero(currency),
        paid=None if kind is ItemKind.OTHER else amount,
        charge_reference=links.get("payment"),
        refund_reference=links.get("refund"),
    )
