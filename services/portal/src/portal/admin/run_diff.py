"""How a dry run differs from the last real one: per customer, so that a surprise is seen before it is an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.names import customer_id, customer_name

Invoice = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A customer's total then and now, in minor units; None where there was no invoice."""

    name: str
    before: int | None
    now: int | None

    @property
    def change(self) -> int:
        """What is more (or less) now, in minor units."""
        return (self.now or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class RunDiff:
    """The last run's day, and the customers whose totals differ; ``same`` counts the others."""

    as_of: str
    total_before: int
    total_now: int
    differences: list[Difference]
    same: int

    @property
    def change(self) -> int:
        """What the whole run is more (or less), in minor units."""
        return self.total_now - self.total_before


def compare(last: Mapping[str, Any], dry: Mapping[str, Any]) -> RunDiff:
    """Compare what a run made with what a dry run would make; the greatest difference first."""
    before, now = _totals(last.get("invoices") or ()), _totals(dry.get("invoices") or ())
    names = {**before, **now}
    found = [Difference(names[who][0], _total(before, who), _total(now, who)) for who in names]
    differences = sorted((one for one in found if one.before != one.now), key=lambda one: -abs(one.change))
    return RunDiff(
        str(last["as_of"]),
        int(last["counts"].get("total_minor", 0)),
        int(dry["counts"].get("total_minor", 0)),
        differences,
        len(found) - len(differences),
    )


def _total(totals: Mapping[str, tuple[str, int]], who: str) -> int | None:
    return totals[who][1] if who in totals else None


def _totals(invoices: Iterable[Invoice]) -> dict[str, tuple[str, int]]:
    """Name and total by customer."""
    totals: dict[str, tuple[str, int]] = {}
    for one in invoices:
        who = customer_id(one) or str(one.get("id"))
        name, total = totals.get(who, (customer_name(one), 0))
        totals[who] = (name, total + one["total"]["amount_minor"])
    return totals
