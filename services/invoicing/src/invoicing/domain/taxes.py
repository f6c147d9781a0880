"""Taxes: which applies (TAX-1), its category and reason (TAX-3), and the sums per tax (TAX-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from common.errors import InvalidError

from .rounding import HUNDRED, divide_half_up, percent_ratio, spread

# EN 16931 categories (UNCL 5305) with the reason that a document must give where the category alone is one (TAX-3).
REASONS = {
    "S": "",
    "Z": "",
    "E": "Exempt from tax",
    "AE": "Reverse charge",
    "K": "Intra-community supply",
    "G": "Export outside the EU",
    "O": "Not subject to tax",
    "L": "",
    "M": "",
}
VATEX_CODES = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
_RATED = frozenset("SLM")


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a line: category (EN 16931), rate in per cent, a name that tells parallel taxes apart, a reason.

    Equal when category, rate and name are: such lines are summed before the tax is computed (TAX-2).
    """

    category: str
    percent: Decimal
    name: str = ""
    reason: str = field(default="", compare=False)

    def __hash__(self) -> int:
        # Rates differ within these two seldom enough, and take long to hash.
        return hash((self.category, self.name))


Taxes = tuple[Tax, ...]
NO_TAX = Tax("Z", Decimal(0))


def tax_of(percent: Decimal, category: str | None = None, *, name: str = "", reason: str = "") -> Tax:
    """A checked tax. Without a category: S, or Z at 0 per cent. Reverse charge, exempt and the like get their reason.

    Raises InvalidError for an unknown category, a rate outside 0-100, or a rate in a category that has none.
    """
    category = category or ("S" if percent else "Z")
    if category not in REASONS:
        raise InvalidError("invalid_tax_category", f"{category!r} is not a tax category of EN 16931.")
    if not 0 <= percent <= HUNDRED:
        raise InvalidError("invalid_tax_percent", "A tax rate lies between 0 and 100 per cent.")
    if percent and category not in _RATED:
        raise InvalidError("invalid_tax_percent", f"Tax category {category} has no rate: it must be 0.")
    if category == "S" and not percent:
        category = "Z"
    return Tax(category, percent, name, reason or REASONS[category])


def parallel_taxes(taxes: Sequence[Tax]) -> Taxes:
    """Several taxes on one thing, each computed and rounded alone (TAX-2): GST and PST.

    Raises InvalidError unless each has a name of its own, or when they take more than 100 per cent together.
    """
    names = {tax.name for tax in taxes if tax.name}
    if len(taxes) > 1 and len(names) < len(taxes):
        raise InvalidError("parallel_taxes_unnamed", "Parallel taxes need names that tell them apart.")
    if sum((tax.percent for tax in taxes), Decimal(0)) > HUNDRED:
        raise InvalidError("invalid_tax_percent", "Parallel taxes are 100 per cent at most.")
    return tuple(taxes)


def pick_taxes(
    *, customer: Taxes | None, location: Taxes | None, item: Taxes | None, organization: Taxes | None
) -> Taxes:
    """The taxes of the first that says something: customer, location, plan or rate, organisation; else 0 % (TAX-1)."""
    for taxes in (customer, location, item, organization):
        if taxes is not None:
            return taxes or (NO_TAX,)
    return (NO_TAX,)


def exclusive_tax(net: int, percent: Decimal) -> int:
    """Tax in minor units on a sum of line nets, rounded once (TAX-2)."""
    above, below = percent_ratio(percent)
    return divide_half_up(net * above, below)


def inclusive_net(gross: int, taxes: Taxes) -> int:
    """Net in minor units inside a fixed gross sum: gross minus tax (TAX-2).

    One tax: net = round(gross / (1 + r)). Parallel taxes are each rounded alone, and the net is what they leave.
    """
    if len(taxes) == 1:
        above, below = percent_ratio(taxes[0].percent)
        return divide_half_up(gross * below, below + above)
    return gross - sum(inclusive_taxes(gross, taxes))


def inclusive_taxes(gross: int, taxes: Taxes) -> list[int]:
    """Each tax in minor units inside a fixed gross sum; see `inclusive_net`."""
    if len(taxes) == 1:
        return [gross - inclusive_net(gross, taxes)]
    whole_above, whole_below = percent_ratio(sum((tax.percent for tax in taxes), Decimal(0)))
    amounts = []
    for tax in taxes:
        above, below = percent_ratio(tax.percent)
        amounts.append(divide_half_up(gross * above * whole_below, below * (whole_below + whole_above)))
    return amounts


def spread_exclusive_tax(tax_total: int, nets: Sequence[int], percent: Decimal) -> list[int]:
    """The tax of a group laid on its lines so that the parts add up (MON-2)."""
    above, below = percent_ratio(percent)
    return spread(tax_total, [net * above for net in nets], below)


def spread_inclusive_tax(tax_total: int, grosses: Sequence[int], tax: Tax, taxes: Taxes) -> list[int]:
    """The share of one of ``taxes`` in a group's gross, laid on its lines so that the parts add up (MON-2)."""
    above, below = percent_ratio(tax.percent)
    whole_above, whole_below = percent_ratio(sum((each.percent for each in taxes), Decimal(0)))
    shares = [gross * above * whole_below for gross in grosses]
    return spread(tax_total, shares, below * (whole_below + whole_above))
