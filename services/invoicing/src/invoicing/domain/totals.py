"""The arithmetic of a document: line amounts, discounts, taxes, totals (MON-2, MON-3, TAX-2, TAX-4).

Everything computed here is stored; every part adds up to its whole: line nets to the subtotal, line taxes to the tax
total, line totals to the total, document discount shares to the discount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from common.errors import InvalidError
from common.money import CurrencyMismatchError, Money

from .discounts import DocumentDiscount, discount_shares
from .proration import ONE, ZERO, line_amount
from .rounding import HUNDRED
from .taxes import (
    NO_TAX,
    Tax,
    Taxes,
    exclusive_tax,
    inclusive_taxes,
    spread_exclusive_tax,
    spread_inclusive_tax,
)


class LineInput(NamedTuple):
    """One line as it goes into a document.

    ``amount`` given: it was rounded already (a prorated membership line), and quantity and discounts are for display.
    Otherwise it is quantity x unit price, less the per cent discount, then less the fixed one (TAX-4).
    With ``prices_include_tax`` all amounts of the line are gross and stay so (TAX-2).
    """

    unit_price: Money
    quantity: Decimal = ONE
    discount_percent: Decimal = ZERO
    discount_amount: Money | None = None
    taxes: Taxes = (NO_TAX,)
    prices_include_tax: bool = False
    amount: Money | None = None


# Taxes and price mode within a line's fields.
_TAXED = slice(LineInput._fields.index("taxes"), LineInput._fields.index("prices_include_tax") + 1)


class LineTotals(NamedTuple):
    """``amount``: the line after its own discounts; ``discount``: its share of the document's, both in its tax mode.

    ``net`` + ``tax`` = ``total``; ``taxes`` are the shares of each of the line's taxes, in their order. A run reads the
    plain minor units, for money of its own for each would cost more than the arithmetic.
    """

    amount_minor: int
    discount_minor: int
    net_minor: int
    tax_minor: int
    tax_minors: Sequence[int]
    currency: str

    @property
    def total_minor(self) -> int:
        """With tax, in minor units."""
        return self.net_minor + self.tax_minor

    @property
    def amount(self) -> Money:
        """After the line's own discounts."""
        return Money(self.amount_minor, self.currency)

    @property
    def discount(self) -> Money:
        """The line's share of the document's discounts."""
        return Money(self.discount_minor, self.currency)

    @property
    def net(self) -> Money:
        """Before tax, after all discounts."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """All the line's taxes."""
        return Money(self.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        """With tax."""
        return Money(self.total_minor, self.currency)

    @property
    def taxes(self) -> tuple[Money, ...]:
        """Each of the line's taxes."""
        return tuple([Money(part, self.currency) for part in self.tax_minors])


@dataclass(frozen=True, slots=True)
class TaxRow:
    """A row of the tax table: the sum of line nets that bear the tax, and the tax on it."""

    tax: Tax
    taxable: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """``lines_total`` - ``discount_total`` is what is left of the amounts; ``subtotal`` + ``tax_total`` = ``total``."""

    lines: tuple[LineTotals, ...]
    lines_total_minor: int
    discount_total_minor: int
    subtotal_minor: int
    taxes: dict[Tax, list[int]]
    tax_total_minor: int
    currency: str

    @property
    def total_minor(self) -> int:
        """With tax, in minor units."""
        return self.subtotal_minor + self.tax_total_minor

    @property
    def lines_total(self) -> Money:
        """The amounts of the lines, each after its own discounts."""
        return Money(self.lines_total_minor, self.currency)

    @property
    def discount_total(self) -> Money:
        """What the document's discounts take off."""
        return Money(self.discount_total_minor, self.currency)

    @property
    def subtotal(self) -> Money:
        """Before tax."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def tax_breakdown(self) -> tuple[TaxRow, ...]:
        """The tax table."""
        rows = self.taxes.items()
        return tuple(TaxRow(tax, Money(net, self.currency), Money(part, self.currency)) for tax, (net, part) in rows)

    @property
    def tax_total(self) -> Money:
        """All taxes."""
        return Money(self.tax_total_minor, self.currency)

    @property
    def total(self) -> Money:
        """With tax."""
        return Money(self.total_minor, self.currency)


class _TaxSums:
    """Tax per line and per tax while the groups of a document are worked through."""

    def __init__(self, lines: Sequence[LineInput], left: list[int]) -> None:
        self.lines, self.left = lines, left
        self.per_line: list[list[int]] = [[0] * len(line.taxes) for line in lines]
        self.rows: dict[Tax, list[int]] = {}

    def compute(self) -> None:
        """Group the lines by tax, and inclusive ones by all their taxes together, and work out each group (TAX-2)."""
        if not self.lines:
            return
        first = self.lines[0]
        if len(first.taxes) == 1 and all(line[_TAXED] == first[_TAXED] for line in self.lines):
            self._one_tax(first)
            return
        exclusive: dict[Tax, list[tuple[int, int]]] = {}
        inclusive: dict[Taxes, list[int]] = {}
        for i, line in enumerate(self.lines):
            if line.prices_include_tax:
                inclusive.setdefault(line.taxes, []).append(i)
            else:
                for slot, tax in enumerate(line.taxes):
                    exclusive.setdefault(tax, []).append((i, slot))
            for tax in line.taxes:
                self.rows.setdefault(tax, [0, 0])
        for tax, places in exclusive.items():
            self._exclusive_group(tax, places)
        for taxes, members in inclusive.items():
            self._inclusive_group(taxes, members)

    def _one_tax(self, first: LineInput) -> None:
        """All lines bear the same single tax, as most documents' do."""
        self.rows[first.taxes[0]] = [0, 0]
        if first.prices_include_tax:
            self._inclusive_group(first.taxes, list(range(len(self.lines))))
        else:
            self._exclusive_group(first.taxes[0], [(i, 0) for i in range(len(self.lines))])

    def _exclusive_group(self, tax: Tax, places: list[tuple[int, int]]) -> None:
        nets = [self.left[i] for i, _ in places]
        net = sum(nets)
        amount = exclusive_tax(net, tax.percent) if tax.percent else 0
        if tax.percent:
            for (i, slot), part in zip(places, spread_exclusive_tax(amount, nets, tax.percent), strict=True):
                self.per_line[i][slot] = part
        self._add(tax, net, amount)

    def _inclusive_group(self, taxes: Taxes, members: list[int]) -> None:
        grosses = [self.left[i] for i in members]
        gross = sum(grosses)
        amounts = inclusive_taxes(gross, taxes)
        net = gross - sum(amounts)
        for slot, (tax, amount) in enumerate(zip(taxes, amounts, strict=True)):
            for i, part in zip(members, spread_inclusive_tax(amount, grosses, tax, taxes), strict=True):
                self.per_line[i][slot] = part
            self._add(tax, net, amount)

    def _add(self, tax: Tax, taxable: int, amount: int) -> None:
        row = self.rows[tax]
        row[0] += taxable
        row[1] += amount


def line_minor(line: LineInput, currency: str) -> int:
    """The line's amount in minor units after its own discounts, rounded once. Raises CurrencyMismatchError."""
    if line.amount is not None:
        return _minor(line.amount, currency)
    if line.discount_percent and not ZERO <= line.discount_percent <= HUNDRED:
        raise InvalidError("invalid_discount", "A discount lies between 0 and 100 per cent.")
    amount = line_amount(_minor(line.unit_price, currency), line.quantity, line.discount_percent)
    if line.discount_amount is None:
        return amount
    off = _minor(line.discount_amount, currency)
    if off < 0:
        raise InvalidError("invalid_discount", "A discount cannot be negative.")
    return amount - min(off, max(amount, 0))


def document_totals(
    lines: Sequence[LineInput], currency: str, discounts: Sequence[DocumentDiscount] = ()
) -> DocumentTotals:
    """All numbers of a document. The total may be negative: the caller then makes a credit note (PRO-4).

    Raises CurrencyMismatchError, and InvalidError for discounts that are out of range or fit no line.
    """
    amounts = [line_minor(line, currency) for line in lines]
    off = (
        discount_shares(amounts, [line.taxes for line in lines], discounts, currency) if discounts else [0] * len(lines)
    )
    left = [amount - share for amount, share in zip(amounts, off, strict=True)]
    sums = _TaxSums(lines, left)
    sums.compute()
    done = tuple([_line_totals(line, amounts[i], off[i], sums.per_line[i], currency) for i, line in enumerate(lines)])
    subtotal = sum([line.net_minor for line in done])
    tax_total = sum([amount for _, amount in sums.rows.values()])
    return DocumentTotals(done, sum(amounts), sum(off), subtotal, sums.rows, tax_total, currency)


def _line_totals(line: LineInput, amount: int, off: int, taxes: list[int], currency: str) -> LineTotals:
    tax = sum(taxes)
    net = amount - off - tax if line.prices_include_tax else amount - off
    return LineTotals(amount, off, net, tax, taxes, currency)


def _minor(money: Money, currency: str) -> int:
    if money.currency != currency:
        raise CurrencyMismatchError(f"{money.currency} and {currency}")
    return money.amount_minor
