"""What a provider paid out to the organisation's bank account, and what each payout is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.money import Money


class PayoutState(StrEnum):
    """Where a payout stands; a failed one has gone back to the account at the provider."""

    ON_THE_WAY = "on_the_way"
    PAID = "paid"
    FAILED = "failed"


class ItemKind(StrEnum):
    """What moved the account at the provider; ``other``: reserves, transfers, currency exchange and the like."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    FEE = "fee"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PayoutDetails:
    """One transfer to the bank account; a negative ``amount`` was taken from it.

    ``arrives_on`` is the civil date of arrival. ``itemised``: the provider tells what the payout is made of;
    ``complete``: and it will not add anything any more.
    """

    reference: str
    amount: Money
    state: PayoutState
    arrives_on: date
    made_at: datetime
    itemised: bool = True
    complete: bool = True


@dataclass(frozen=True, slots=True)
class PayoutItem:
    """A part of a payout: ``amount`` (negative: money that left) less ``fee``, both in the payout's currency.

    ``paid`` is the same amount in the customer's currency, where that is known. A refund that came back is a refund
    with a positive amount, a charge that was returned late one with a negative.
    """

    kind: ItemKind
    amount: Money
    fee: Money
    paid: Money | None = None
    charge_reference: str | None = None
    refund_reference: str | None = None
    reference: str | None = None
