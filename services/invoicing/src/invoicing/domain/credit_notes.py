"""The arithmetic of credit notes: parts add up to the invoice, a full one nets to exactly zero (TAX-5, DOC-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from common.errors import ConflictError, InvalidError, NotFoundError
from common.money import CurrencyMismatchError, Money

from .rounding import spread
from .taxes import Tax, Taxes, exclusive_tax, inclusive_net, spread_exclusive_tax
from .totals import TaxRow


@dataclass(frozen=True, slots=True)
class CreditableLine:
    """A line of an issued invoice, and what earlier credit notes took from it.

    ``tax_amounts`` and ``credited_tax_amounts`` stand in the order of ``taxes``, whose rates are the original ones.
    """

    line_id: UUID
    net: Money
    taxes: Taxes
    tax_amounts: tuple[Money, ...]
    prices_include_tax: bool
    credited_net: Money
    credited_tax_amounts: tuple[Money, ...]

    @property
    def creditable(self) -> Money:
        """What can still be credited, in the line's price mode: net, or gross when prices include tax."""
        rest = self.net - self.credited_net
        if self.prices_include_tax:
            for tax, credited in zip(self.tax_amounts, self.credited_tax_amounts, strict=True):
                rest += tax - credited
        return rest


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line of the credit note: positive where the invoice's line is positive. ``net`` + taxes = ``total``."""

    line_id: UUID
    net: Money
    tax: Money
    total: Money
    taxes: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class CreditNoteTotals:
    """All numbers of a credit note; ``subtotal`` + ``tax_total`` = ``total``."""

    lines: tuple[CreditLine, ...]
    subtotal: Money
    tax_breakdown: tuple[TaxRow, ...]
    tax_total: Money
    total: Money


def credit_note_totals(
    lines: Sequence[CreditableLine], currency: str, amounts: Mapping[UUID, Money] | None = None
) -> CreditNoteTotals:
    """A credit note over ``amounts`` per line (in each line's price mode), or over all that is left without them.

    ``lines`` are ALL lines of the invoice. Exclusive prices: tax = round(cumulative credited net x rate) - tax
    credited before, per tax. Inclusive prices: the credited gross is fixed and the net is taken out of it the same
    way. Raises InvalidError for an amount beyond what is left or of the wrong sign, NotFoundError for a line of
    another invoice, ConflictError when nothing is left.
    """
    wanted = _wanted(lines, currency, amounts)
    nets = [0] * len(lines)
    taxes = [[0] * len(line.taxes) for line in lines]
    _inclusive(lines, wanted, nets, taxes)
    _exclusive(lines, wanted, nets, taxes)
    touched = [i for i, amount in enumerate(wanted) if amount]
    done = tuple(_credit_line(lines[i], nets[i], taxes[i], currency) for i in touched)
    rows = _rows([lines[i] for i in touched], [nets[i] for i in touched], [taxes[i] for i in touched], currency)
    subtotal, tax_total = sum(nets), sum(map(sum, taxes))
    return CreditNoteTotals(
        done, Money(subtotal, currency), rows, Money(tax_total, currency), Money(subtotal + tax_total, currency)
    )


def _wanted(lines: Sequence[CreditableLine], currency: str, amounts: Mapping[UUID, Money] | None) -> list[int]:
    """The amount to credit on each line, checked; 0 for lines that stay."""
    left = [line.creditable for line in lines]
    if any(each.currency != currency for each in (*left, *(amounts or {}).values())):
        raise CurrencyMismatchError(f"a credit note in {currency} needs all amounts in it")
    if not any(left):
        raise ConflictError("nothing_to_credit", "All of this invoice has been credited.")
    if amounts is None:
        return [each.amount_minor for each in left]
    if unknown := set(amounts) - {line.line_id for line in lines}:
        raise NotFoundError("invoice_line_not_found", f"{len(unknown)} of the lines are not of this invoice.")
    wanted = [amounts[line.line_id].amount_minor if line.line_id in amounts else 0 for line in lines]
    for line, rest, amount in zip(lines, left, wanted, strict=True):
        _check(line, rest.amount_minor, amount, asked=line.line_id in amounts)
    return wanted


def _check(line: CreditableLine, rest: int, amount: int, *, asked: bool) -> None:
    if asked and amount == 0:
        raise InvalidError("invalid_credit_amount", "An amount to credit cannot be zero.")
    if amount and (abs(amount) > abs(rest) or (amount < 0) != (rest < 0)):
        raise InvalidError("credit_exceeds_line", f"Line {line.line_id} has only {rest} minor units left to credit.")


def _inclusive(lines: Sequence[CreditableLine], wanted: list[int], nets: list[int], taxes: list[list[int]]) -> None:
    """Take net and taxes out of the credited gross, cumulatively per line, so that the last credit ends exactly."""
    for i, (line, amount) in enumerate(zip(lines, wanted, strict=True)):
        if not (amount and line.prices_include_tax):
            continue
        before = [credited.amount_minor for credited in line.credited_tax_amounts]
        whole = [tax.amount_minor for tax in line.tax_amounts]
        if amount == line.creditable.amount_minor:
            now = whole
        else:
            gross = line.credited_net.amount_minor + sum(before) + amount
            now = _inclusive_taxes_so_far(line, gross, whole)
        taxes[i] = [after - earlier for after, earlier in zip(now, before, strict=True)]
        nets[i] = amount - sum(taxes[i])


def _inclusive_taxes_so_far(line: CreditableLine, gross: int, whole: list[int]) -> list[int]:
    """The taxes inside a cumulated gross, within what the line bore in net and in tax."""
    sign = -1 if line.net.amount_minor < 0 else 1
    size, net, tax = abs(gross), abs(line.net.amount_minor), abs(sum(whole))
    so_far = size - min(max(inclusive_net(size, line.taxes), size - tax), net)
    if len(whole) == 1 or not tax:
        return [sign * so_far, *[0] * (len(whole) - 1)]
    return [sign * part for part in spread(so_far, [so_far * abs(each) for each in whole], tax)]


def _exclusive(lines: Sequence[CreditableLine], wanted: list[int], nets: list[int], taxes: list[list[int]]) -> None:
    """Per tax: round(cumulative net x rate) - tax credited before, laid on the lines of this credit note."""
    groups: dict[Tax, list[tuple[int, int]]] = {}
    for i, line in enumerate(lines):
        if not line.prices_include_tax:
            nets[i] = wanted[i]
            for slot, tax in enumerate(line.taxes):
                groups.setdefault(tax, []).append((i, slot))
    for tax, places in groups.items():
        touched = [(i, slot) for i, slot in places if wanted[i]]
        if not touched:
            continue
        now = _exclusive_tax_now(lines, wanted, tax, places)
        parts = spread_exclusive_tax(now, [wanted[i] for i, _ in touched], tax.percent)
        for (i, slot), part in zip(touched, parts, strict=True):
            taxes[i][slot] = part


def _exclusive_tax_now(
    lines: Sequence[CreditableLine], wanted: list[int], tax: Tax, places: list[tuple[int, int]]
) -> int:
    """What this credit note owes of one tax, over all lines of the invoice that bear it."""
    before = sum(lines[i].credited_tax_amounts[slot].amount_minor for i, slot in places)
    if all(wanted[i] == lines[i].creditable.amount_minor for i, _ in places):
        return sum(lines[i].tax_amounts[slot].amount_minor for i, slot in places) - before
    so_far = sum(lines[i].credited_net.amount_minor + wanted[i] for i, _ in places)
    return exclusive_tax(so_far, tax.percent) - before


def _credit_line(line: CreditableLine, net: int, taxes: list[int], currency: str) -> CreditLine:
    tax = sum(taxes)
    parts = tuple(Money(part, currency) for part in taxes)
    return CreditLine(line.line_id, Money(net, currency), Money(tax, currency), Money(net + tax, currency), parts)


def _rows(
    lines: Sequence[CreditableLine], nets: list[int], taxes: list[list[int]], currency: str
) -> tuple[TaxRow, ...]:
    rows: dict[Tax, list[int]] = {}
    for line, net, parts in zip(lines, nets, taxes, strict=True):
        for tax, part in zip(line.taxes, parts, strict=True):
            row = rows.setdefault(tax, [0, 0])
            row[0] += net
            row[1] += part
    return tuple(TaxRow(tax, Money(taxable, currency), Money(part, currency)) for tax, (taxable, part) in rows.items())
