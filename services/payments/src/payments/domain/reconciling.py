"""Holding what a provider says against what we say, payment by payment and refund by refund.

What a payment brought is one sum on either side: a debit that was returned late and a chargeback take away from it, and
a provider may tell each in another payout. Refunds are compared one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    """``on_the_way``: the two do not agree yet, and there was no time for it."""

    AGREES = "agrees"
    ON_THE_WAY = "on_the_way"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"


@dataclass(frozen=True, slots=True)
class Theirs:
    """A part of a payout. ``minor`` (negative: money that left) is in our currency; None when that is not known."""

    is_refund: bool
    minor: int | None
    refund_reference: str | None
    payout_id: UUID
    arrives_on: date


@dataclass(frozen=True, slots=True)
class OurRefund:
    """A refund: ``minor`` is positive, and zero once it has failed."""

    refund_id: UUID
    reference: str | None
    minor: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OurPayment:
    """A payment: ``brought`` is what it brought in and nobody took back, whatever we refunded of it since.

    ``collected``: whether it ever did, as far as we know.
    """

    payment_id: UUID
    collected: bool
    brought: int
    since: datetime
    refunds: Sequence[OurRefund] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison; None is "knows nothing of it". Amounts are signed: refunds are negative."""

    is_refund: bool
    theirs: int | None
    ours: int | None
    items: Sequence[Theirs] = field(default=())
    refund: OurRefund | None = None
    since: datetime | None = None

    def verdict(self, young_since: datetime) -> Verdict:
        """What came of the comparison; what we have known for less time than ``young_since`` may still be paid out."""
        if self.theirs == self.ours:
            return Verdict.AGREES
        if self.ours is None:
            return Verdict.MISSING_HERE
        if self.since is not None and self.since >= young_since:
            return Verdict.ON_THE_WAY
        return Verdict.MISSING_THERE if self.theirs is None else Verdict.AMOUNT_DIFFERS


def compare(payment: OurPayment, items: Iterable[Theirs]) -> list[Line]:
    """The lines of one payment and of its refunds, from all that any payout says about it."""
    told = list(items)
    mine = _payment_line(payment, [item for item in told if not item.is_refund])
    refunds = _refund_lines(payment.refunds, [item for item in told if item.is_refund])
    return [*([mine] if mine else []), *refunds]


def unknown_here(item: Theirs) -> Line:
    """The line of something that is no payment of ours."""
    return Line(item.is_refund, item.minor or 0, None, [item])


def _payment_line(payment: OurPayment, items: Sequence[Theirs]) -> Line | None:
    theirs = _sum(items, payment.brought)
    ours = payment.brought if payment.collected or theirs == 0 else None
    return Line(False, theirs, ours, items, since=payment.since) if items or ours else None


def _refund_lines(refunds: Sequence[OurRefund], items: Sequence[Theirs]) -> list[Line]:
    by_reference = _grouped(items)
    pairs = [(refund, by_reference.pop(refund.reference, [])) for refund in refunds if refund.reference]
    pairs += [(refund, []) for refund in refunds if not refund.reference]
    left = [item for group in by_reference.values() for item in group]
    lines = [_refund_line(refund, found or _same_amount(refund, left)) for refund, found in pairs]
    return [line for line in lines if line is not None] + [unknown_here(item) for item in left]


def _same_amount(refund: OurRefund, left: list[Theirs]) -> list[Theirs]:
    """Not every provider tells which refund it was; taken out of what is left."""
    same = next((item for item in left if item.minor == -refund.minor), None)
    if same is None:
        return []
    left.remove(same)
    return [same]


def _refund_line(refund: OurRefund, items: Sequence[Theirs]) -> Line | None:
    theirs = _sum(items, -refund.minor)
    return Line(True, theirs, -refund.minor, items, refund, refund.since) if items or refund.minor else None


def _sum(items: Sequence[Theirs], when_unknown: int) -> int | None:
    """The sum of items; one that cannot be told in our currency is taken for ours: it is there, that is all."""
    if not items:
        return None
    amounts = [item.minor for item in items if item.minor is not None]
    return sum(amounts) if len(amounts) == len(items) else when_unknown


def _grouped(items: Iterable[Theirs]) -> dict[str | None, list[Theirs]]:
    groups: dict[str | None, list[Theirs]] = {}
    for item in items:
        groups.setdefault(item.refund_reference, []).append(item)
    return groups
