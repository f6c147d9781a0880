"""Discounts on a whole document: percentages first, then fixed amounts, spread over the lines (TAX-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.errors import InvalidError
from common.money import CurrencyMismatchError, Money, allocate

from .rounding import HUNDRED, divide_half_up, percent_ratio
from .taxes import Taxes


@dataclass(frozen=True, slots=True)
class DocumentDiscount:
    """Either ``percent`` or ``amount``; with ``tax_percent`` it is for the lines of that rate only.

    For lines whose prices include tax the discount is taken from the gross.
    """

    percent: Decimal | None = None
    amount: Money | None = None
    tax_percent: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount is None):
            raise InvalidError("invalid_discount", "A discount has either a percentage or an amount.")
        if self.percent is not None and not 0 <= self.percent <= HUNDRED:
            raise InvalidError("invalid_discount", "A discount lies between 0 and 100 per cent.")
        if self.amount is not None and self.amount.amount_minor < 0:
            raise InvalidError("invalid_discount", "A discount cannot be negative.")


def without_share(percent: Decimal, share: Decimal) -> Decimal:
    """What is left of a percentage when one of the two that it was made of is taken out: 55 without 50 are 10.

    0 when the other cannot be told, or when the percentage is less than its part.
    """
    if not 0 <= share < HUNDRED or percent < share:
        return Decimal(0)
    return (HUNDRED - (HUNDRED - percent) * HUNDRED / (HUNDRED - share)).quantize(Decimal("0.0001")).normalize()


def discount_shares(
    amounts: Sequence[int], taxes: Sequence[Taxes], discounts: Sequence[DocumentDiscount], currency: str
) -> list[int]:
    """Minor units to take off each line. Each discount works on what the ones before it left, and is capped at that.

    Percentages come first, both kinds in the given order. Lines that are negative (credits) bear no share. Raises
    InvalidError when a discount names a rate that no line has.
    """
    left = list(amounts)
    for discount in sorted(discounts, key=lambda each: each.percent is None):
        members = [i for i in range(len(left)) if _applies(discount, taxes[i])]
        if not members:
            raise InvalidError("discount_without_lines", "No line has the tax rate that the discount is for.")
        for i, part in zip(members, _parts(discount, [left[i] for i in members], currency), strict=True):
            left[i] -= part
    return [amount - rest for amount, rest in zip(amounts, left, strict=True)]


def _applies(discount: DocumentDiscount, taxes: Taxes) -> bool:
    return discount.tax_percent is None or any(tax.percent == discount.tax_percent for tax in taxes)


def _parts(discount: DocumentDiscount, left: Sequence[int], currency: str) -> list[int]:
    """One discount spread by largest remainder over the lines that are left with something."""
    base = max(sum(left), 0)
    if discount.percent is not None:
        above, below = percent_ratio(discount.percent)
        off = divide_half_up(base * above, below)
    else:
        off = min(_minor(discount.amount, currency), base)
    return allocate(off, [max(amount, 0) for amount in left])


def _minor(money: Money | None, currency: str) -> int:
    if money is None or money.currency != currency:
        raise CurrencyMismatchError(f"a discount in {money and money.currency} on a document in {currency}")
    return money.amount_minor
