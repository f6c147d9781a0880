"""Credits (CRD-1 to CRD-3): which grants a booking draws on, and the grants that memberships make month by month.

A credit is an hour. Everything is Decimal hours; the ledger itself is in `booking.domain.credit_ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from dateutil.relativedelta import relativedelta

from common.errors import ConflictError


@dataclass(frozen=True, slots=True)
class CreditScope:
    """What a grant may be spent on; empty sets are no limit."""

    resource_ids: frozenset[UUID] = frozenset()
    resource_types: frozenset[str] = frozenset()
    location_ids: frozenset[UUID] = frozenset()

    def includes(self, use: CreditTarget) -> bool:
        """Whether a resource is inside the scope."""
        return (
            (not self.resource_ids or use.resource_id in self.resource_ids)
            and (not self.resource_types or use.resource_type in self.resource_types)
            and (not self.location_ids or use.location_id in self.location_ids)
        )

    @property
    def width(self) -> int:
        """0 for named resources, 1 for types, 2 for locations, 3 for anything: the narrowest is used first (CRD-2)."""
        limits = (self.resource_ids, self.resource_types, self.location_ids)
        return next((width for width, limit in enumerate(limits) if limit), len(limits))


@dataclass(frozen=True, slots=True)
class CreditTarget:
    """What credits are to be spent on; ``day`` is the local date of the meeting's start (CRD-1)."""

    resource_id: UUID
    resource_type: str
    location_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class Grant:
    """Hours that may be spent on meetings in ``[valid_from, expires_on)``; ``available`` is what is left of them."""

    id: UUID
    available: Decimal
    valid_from: date
    expires_on: date | None = None
    is_company: bool = False
    scope: CreditScope = field(default_factory=CreditScope)

    def fits(self, target: CreditTarget) -> bool:
        """Whether it can be spent on a meeting at all."""
        if self.available <= 0 or not self.scope.includes(target):
            return False
        return self.valid_from <= target.day < (self.expires_on or date.max)


@dataclass(frozen=True, slots=True)
class Draw:
    """Hours taken from one grant."""

    grant_id: UUID
    hours: Decimal


def spendable(grants: Iterable[Grant], target: CreditTarget) -> list[Grant]:
    """The grants for a meeting in the order of their use (CRD-2).

    Soonest to expire, then narrowest scope, then personal before the company's; equals by id, so the older first.
    """
    fitting = [grant for grant in grants if grant.fits(target)]
    return sorted(fitting, key=lambda g: (g.expires_on or date.max, g.scope.width, g.is_company, g.id))


def available_hours(grants: Iterable[Grant], target: CreditTarget) -> Decimal:
    """Hours that could be spent on a meeting: what the price is computed with."""
    return sum((grant.available for grant in spendable(grants, target)), Decimal(0))


def draw(grants: Iterable[Grant], target: CreditTarget, hours: Decimal) -> list[Draw]:
    """The grants that pay for so many hours; raises ConflictError ``credits_insufficient`` (CRD-3)."""
    draws: list[Draw] = []
    missing = hours
    for grant in spendable(grants, target):
        if missing <= 0:
            break
        part = min(missing, grant.available)
        draws.append(Draw(grant.id, part))
        missing -= part
    if missing > 0:
        raise ConflictError("credits_insufficient", "There are not enough credits for this booking any more.")
    return draws


@dataclass(frozen=True, slots=True)
class Settlement:
    """How the draws of a cancelled booking end: given back to the same grants, or forfeited."""

    released: tuple[Draw, ...]
    forfeited: tuple[Draw, ...]


def settle_cancellation(draws: Sequence[Draw], forfeited: Decimal) -> Settlement:
    """Keeps ``forfeited`` hours, those of the first draws first, and gives the rest back to the same grants (CRD-3)."""
    kept: list[Draw] = []
    back: list[Draw] = []
    missing = forfeited
    for taken in draws:
        part = max(Decimal(0), min(missing, taken.hours))
        missing -= part
        kept += [Draw(taken.grant_id, part)] * (part > 0)
        back += [Draw(taken.grant_id, taken.hours - part)] * (taken.hours > part)
    return Settlement(tuple(back), tuple(kept))


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """What a membership grants each calendar month. ``end_date`` is its last day; pauses are half-open, like PRO-6."""

    hours: Decimal
    start_date: date
    end_date: date | None = None
    pauses: tuple[tuple[date, date | None], ...] = ()
    carry_over_cap: Decimal = Decimal(0)

    def has_credits_in(self, month: date) -> bool:
        """Whether the membership runs, unpaused, on its first day in a month: then all of the month's credits count."""
        first, after = month_of(month)
        begin = max(first, self.start_date)
        if begin >= after or (self.end_date is not None and begin > self.end_date):
            return False
        return not any(start <= begin and (end is None or begin < end) for start, end in self.pauses)


@dataclass(frozen=True, slots=True)
class MonthlyGrant:
    """Credits to be granted for the meetings of one calendar month; ``carried`` of the hours come from the last one."""

    hours: Decimal
    carried: Decimal
    valid_from: date
    expires_on: date


def month_of(day: date) -> tuple[date, date]:
    """First day of a date's month, and of the next."""
    first = day.replace(day=1)
    return first, first + relativedelta(months=1)


def grant_for_month(terms: CreditTerms, month: date, left_over: Decimal = Decimal(0)) -> MonthlyGrant | None:
    """The grant of a membership for a month; ``left_over`` is what its last grant had left when it expired (CRD-1)."""
    if not terms.has_credits_in(month):
        return None
    carried = max(Decimal(0), min(left_over, terms.carry_over_cap))
    first, after = month_of(month)
    hours = terms.hours + carried
    return MonthlyGrant(hours, carried, max(first, terms.start_date), after) if hours > 0 else None
