"""What a cancellation costs (BOK-5): steps of hours before the start, on the price that was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from common.errors import InvalidError
from common.money import Money

# As many as the ledger keeps: what is forfeited and what is given back must add up to what was reserved.
_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Step:
    """Cancelling later than ``hours_before`` the start costs ``percent`` of the price."""

    hours_before: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class CancellationPolicy:
    """Steps in any order; none at all means that cancelling is free. No-shows pay their own share."""

    steps: tuple[Step, ...] = ()
    no_show_percent: Decimal = Decimal(100)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"steps": [{"hours_before": 24, "percent": "50"}], "no_show_percent": "100"}``.

        Raises InvalidError ``cancellation_policy_invalid``.
        """
        try:
            steps = [Step(_number(s["hours_before"]), _number(s["percent"])) for s in document.get("steps") or ()]
            no_show = _number(document.get("no_show_percent", 100))
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise InvalidError("cancellation_policy_invalid", "The cancellation policy cannot be read.") from error
        if any(step.hours_before < 0 for step in steps) or any(not 0 <= p <= 100 for p in _percents(steps, no_show)):
            raise InvalidError("cancellation_policy_invalid", "Hours are not negative, percentages at most 100.")
        return cls(tuple(steps), no_show)

    def as_document(self) -> dict[str, Any]:
        """JSON types, for the snapshot on a booking; `from_document` reads them back."""
        steps = [{"hours_before": str(step.hours_before), "percent": str(step.percent)} for step in self.steps]
        return {"steps": steps, "no_show_percent": str(self.no_show_percent)}

    def percent_at(self, start: datetime, now: datetime) -> Decimal:
        """Per cent of the price that cancelling costs now: exactly N hours before is still in time for that step."""
        missed = [step for step in self.steps if start - now < _hours(step.hours_before)]
        return min(missed, key=lambda step: step.hours_before).percent if missed else Decimal(0)

    def free_until(self, start: datetime) -> datetime | None:
        """The last instant at which cancelling costs nothing; None when it always is free."""
        notice = [step.hours_before for step in self.steps if step.percent > 0]
        return start - _hours(max(notice)) if notice else None


@dataclass(frozen=True, slots=True)
class CancellationCost:
    """What a cancellation takes: a fee, and hours of credit that are not given back."""

    percent: Decimal
    fee: Money
    credits_forfeited: Decimal

    @property
    def is_free(self) -> bool:
        """Whether nothing is lost."""
        return not self.fee and not self.credits_forfeited


def cancellation_cost(
    policy: CancellationPolicy, start: datetime, now: datetime, price: Money, credits_used: Decimal = Decimal(0)
) -> CancellationCost:
    """The fee (on the price snapshot's total) and the same share of the credits (hours)."""
    return _cost(policy.percent_at(start, now), price, credits_used)


def no_show_cost(policy: CancellationPolicy, price: Money, credits_used: Decimal = Decimal(0)) -> CancellationCost:
    """What not turning up costs."""
    return _cost(policy.no_show_percent, price, credits_used)


def _cost(percent: Decimal, price: Money, credits_used: Decimal) -> CancellationCost:
    forfeited = (credits_used * percent / 100).quantize(_PLACES, ROUND_HALF_UP)
    return CancellationCost(percent, price.times(percent / 100), forfeited)


def _hours(number: Decimal) -> timedelta:
    return timedelta(seconds=int(number * 3600))


def _number(value: object) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError("not a number")
    return number


def _percents(steps: list[Step], no_show: Decimal) -> list[Decimal]:
    return [*(step.percent for step in steps), no_show]
