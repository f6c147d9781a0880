"""What became of a payment, from everything that was ever reported about it, in whatever order (PAY-3).

Reports only ever add facts, and facts are merged by union and maximum: merging is commutative, associative and
idempotent, so every order and any repetition of webhooks, API answers and sweeps ends in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from common.money import Money


class PaymentState(StrEnum):
    """As API.md shows it, and ``action_required`` and ``disputed`` besides."""

    PENDING = "pending"
    ACTION_REQUIRED = "action_required"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class ChargeFact(IntEnum):
    """Reports about the charge; a higher one has the last word.

    A card intent may fail and then succeed when the member tries again, so success outweighs failure; money that was
    taken back after success (a debit returned late) is ``REVERSED`` and outweighs both.
    """

    UNKNOWN = 0
    ACTION_REQUIRED = 1
    PENDING = 2
    FAILED = 3
    SUCCEEDED = 4
    REVERSED = 5


class RefundFact(IntEnum):
    """Reports about one refund; banks do send refunds back, so failure has the last word."""

    PENDING = 1
    SUCCEEDED = 2
    FAILED = 3


class DisputeFact(IntEnum):
    """Reports about one chargeback; the money is gone while it is open, and after it is lost."""

    OPENED = 1
    WON = 2
    LOST = 3


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund: how much, and the weightiest report about it."""

    amount_minor: int
    fact: RefundFact


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """Everything reported about a payment of ``amount``; refunds and disputes by the provider's reference."""

    amount: Money
    charge: ChargeFact = ChargeFact.UNKNOWN
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    disputes: Mapping[str, DisputeFact] = field(default_factory=dict)

    def with_charge(self, fact: ChargeFact) -> PaymentFacts:
        """These facts and a report about the charge."""
        return self.merge(PaymentFacts(self.amount, charge=fact))

    def with_refund(self, reference: str, amount: Money, fact: RefundFact) -> PaymentFacts:
        """These facts and a report about a refund; raises CurrencyMismatchError for another currency."""
        Money.total([amount], self.amount.currency)
        return self.merge(PaymentFacts(self.amount, refunds={reference: Refund(amount.amount_minor, fact)}))

    def with_dispute(self, reference: str, fact: DisputeFact) -> PaymentFacts:
        """These facts and a report about a chargeback."""
        return self.merge(PaymentFacts(self.amount, disputes={reference: fact}))

    def merge(self, other: PaymentFacts) -> PaymentFacts:
        """All that is known to either; the payment's own amount stays."""
        refunds = dict(self.refunds)
        for reference, refund in other.refunds.items():
            known = refunds.get(reference, refund)
            refunds[reference] = Refund(max(known.amount_minor, refund.amount_minor), max(known.fact, refund.fact))
        disputes = dict(self.disputes)
        for reference, fact in other.disputes.items():
            disputes[reference] = max(disputes.get(reference, fact), fact)
        return replace(self, charge=max(self.charge, other.charge), refunds=refunds, disputes=disputes)

    @property
    def collected(self) -> bool:
        """Whether the charge itself brought the money in and it was not returned."""
        return self.charge is ChargeFact.SUCCEEDED

    @property
    def refunded(self) -> Money:
        """Given back or on its way back; never more than was paid."""
        given = sum(refund.amount_minor for refund in self.refunds.values() if refund.fact is not RefundFact.FAILED)
        return Money(min(given, self.amount.amount_minor), self.amount.currency)

    @property
    def disputed(self) -> bool:
        """Whether a chargeback holds the money, or has taken it for good."""
        return any(fact is not DisputeFact.WON for fact in self.disputes.values())

    @property
    def lost(self) -> bool:
        """Whether a chargeback has taken the money for good."""
        return DisputeFact.LOST in self.disputes.values()

    @property
    def kept(self) -> Money:
        """What this payment pays of its invoice: nothing while it is disputed, what was not refunded otherwise."""
        if not self.collected or self.disputed:
            return Money.zero(self.amount.currency)
        return self.amount - self.refunded

    @property
    def state(self) -> PaymentState:
        """The payment's state by these facts."""
        if self.charge in _BEFORE_MONEY:
            return _BEFORE_MONEY[self.charge]
        if self.disputed:
            return PaymentState.DISPUTED
        if not self.refunded:
            return PaymentState.SUCCEEDED
        return PaymentState.REFUNDED if self.refunded == self.amount else PaymentState.PARTIALLY_REFUNDED


_BEFORE_MONEY = {
    ChargeFact.UNKNOWN: PaymentState.PENDING,
    ChargeFact.PENDING: PaymentState.PENDING,
    ChargeFact.ACTION_REQUIRED: PaymentState.ACTION_REQUIRED,
    ChargeFact.FAILED: PaymentState.FAILED,
    ChargeFact.REVERSED: PaymentState.FAILED,
}
