"""Who owes what after payments and credits: ``total = paid + credited + payable``, always (PAY-4, DOC-5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from common.errors import ConflictError, InvalidError
from common.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """The state of an invoice's total. Raises InvalidError when any part would be negative."""

    total: Money
    paid: Money
    credited: Money

    def __post_init__(self) -> None:
        if min(self.total.amount_minor, self.paid.amount_minor, self.credited.amount_minor) < 0:
            raise InvalidError("negative_balance", "Total, paid and credited amounts cannot be negative.")
        if self.payable.amount_minor < 0:
            raise InvalidError("over_allocated", "More was allocated to the invoice than its total.")

    @property
    def payable(self) -> Money:
        """What is still to be paid."""
        return self.total - self.paid - self.credited

    @property
    def settled(self) -> bool:
        """Nothing is left to pay."""
        return not self.payable


@dataclass(frozen=True, slots=True)
class Applied:
    """The balance after money was applied, how much of it was used, and what is over (it becomes account credit)."""

    balance: Balance
    used: Money
    over: Money


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something with an amount left: an invoice to pay, or a credit to use. ``on`` is its due or making date."""

    item_id: UUID
    on: date
    left: Money


@dataclass(frozen=True, slots=True)
class Allocation:
    """How much goes to, or comes from, one item; never 0."""

    item_id: UUID
    amount: Money


def open_balance(total: Money) -> Balance:
    """The balance of a freshly issued invoice."""
    zero = Money.zero(total.currency)
    return Balance(total, zero, zero)


def apply_payment(balance: Balance, amount: Money) -> Applied:
    """Money came in: the invoice takes what is payable, the rest is an overpayment (PAY-4)."""
    used = _take(balance, amount)
    return Applied(replace(balance, paid=balance.paid + used), used, amount - used)


def apply_credit(balance: Balance, amount: Money) -> Applied:
    """A credit note or account credit: the invoice takes what is payable, the rest stays account credit (DOC-5)."""
    used = _take(balance, amount)
    return Applied(replace(balance, credited=balance.credited + used), used, amount - used)


def reverse_payment(balance: Balance, amount: Money) -> Balance:
    """A late failure, chargeback or refund: the money is gone and the invoice payable again (PAY-3, PAY-5).

    Raises ConflictError for more than was paid.
    """
    _positive(amount)
    if amount > balance.paid:
        raise ConflictError("refund_exceeds_paid", "More cannot go back than was paid.")
    return replace(balance, paid=balance.paid - amount)


def reverse_credit(balance: Balance, amount: Money) -> Balance:
    """Take an allocation of credit back (undoing it). Raises ConflictError for more than was allocated."""
    _positive(amount)
    if amount > balance.credited:
        raise ConflictError("reversal_exceeds_credited", "More cannot be taken back than was credited.")
    return replace(balance, credited=balance.credited - amount)


def allocate_oldest_first(amount: Money, items: Iterable[OpenItem]) -> tuple[list[Allocation], Money]:
    """Lay ``amount`` on items, oldest date first (then in the given order); returns the allocations and the rest.

    One rule both ways: a credit note or overpayment on open invoices, or what an invoice owes on account credits.
    The allocations and the rest add up to ``amount``.
    """
    if amount.amount_minor < 0:
        raise InvalidError("invalid_amount", "An amount to allocate cannot be negative.")
    rest, allocations = amount, []
    for item in sorted(items, key=lambda each: each.on):
        if item.left.amount_minor < 0:
            raise InvalidError("negative_balance", "An item to allocate to cannot be below zero.")
        part = min(rest, item.left)
        if part:
            allocations.append(Allocation(item.item_id, part))
            rest -= part
    return allocations, rest


def _take(balance: Balance, amount: Money) -> Money:
    _positive(amount)
    return min(amount, balance.payable)


def _positive(amount: Money) -> None:
    if amount.amount_minor <= 0:
        raise InvalidError("invalid_amount", "The amount must be more than 0.")
