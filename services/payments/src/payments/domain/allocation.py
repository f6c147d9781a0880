"""How money meets an invoice: ``total = paid + credited + payable``, always, and nothing negative (PAY-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.money import Money


@dataclass(frozen=True, slots=True)
class InvoiceBalance:
    """An invoice's money. ``paid`` and ``credited`` count only what was allocated to it; the rest is account credit."""

    total: Money
    paid: Money
    credited: Money

    def __post_init__(self) -> None:
        if min(self.paid.amount_minor, self.credited.amount_minor, self.payable.amount_minor) < 0:
            raise ValueError("an invoice's paid, credited and payable amounts are never negative")

    @classmethod
    def unpaid(cls, total: Money) -> InvoiceBalance:
        """A fresh invoice; its total is not negative."""
        return cls(total, Money.zero(total.currency), Money.zero(total.currency))

    @property
    def payable(self) -> Money:
        """What is still to be paid."""
        return self.total - self.paid - self.credited

    def pay(self, amount: Money) -> tuple[InvoiceBalance, Money]:
        """The balance after money came in, and the overpayment that becomes account credit."""
        used = min(_not_negative(amount), self.payable)
        return replace(self, paid=self.paid + used), amount - used

    def credit(self, amount: Money) -> tuple[InvoiceBalance, Money]:
        """The balance after a credit note, and what goes beyond the payable: account credit, or a refund (DOC-5)."""
        used = min(_not_negative(amount), self.payable)
        return replace(self, credited=self.credited + used), amount - used

    def take_back(self, amount: Money) -> tuple[InvoiceBalance, Money]:
        """The balance after money left again (refund, chargeback, late failure), which reopens the invoice.

        Second: what was never allocated here and so must come out of account credit.
        """
        used = min(_not_negative(amount), self.paid)
        return replace(self, paid=self.paid - used), amount - used


def draw_oldest_first(account_credits: Sequence[Money], payable: Money) -> list[Money]:
    """How much each account credit, oldest first, gives towards ``payable``; in sum never more than it."""
    drawn: list[Money] = []
    left = _not_negative(payable)
    for credit in account_credits:
        used = min(_not_negative(credit), left)
        left -= used
        drawn.append(used)
    return drawn


def _not_negative(amount: Money) -> Money:
    if amount.amount_minor < 0:
        raise ValueError("amounts to allocate are not negative")
    return amount
