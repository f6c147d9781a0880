"""Reminders, blocked bookings and late fees, by days since a due date (PAY-8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from common.errors import InvalidError
from common.money import Money

from .rounding import HUNDRED

DEFAULT_REMINDERS = (-3, 0, 3, 7, 14)
DEFAULT_BLOCK_AFTER_DAYS = 14


@dataclass(frozen=True, slots=True)
class LateFeePolicy:
    """A share of what is payable, plus a fixed amount, once the invoice is ``grace_days`` past due.

    ``repeat_every_days`` of 0 charges once; otherwise again after each such span.
    """

    percent: Decimal = Decimal(0)
    amount: Money | None = None
    grace_days: int = 0
    repeat_every_days: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= HUNDRED or (self.amount is not None and self.amount.amount_minor < 0):
            raise InvalidError("invalid_late_fee", "A late fee is 0 to 100 per cent and not negative.")
        if self.grace_days < 0 or self.repeat_every_days < 0:
            raise InvalidError("invalid_late_fee", "Days of a late fee cannot be negative.")


def reminder_dates(due: date, offsets: Sequence[int] = DEFAULT_REMINDERS) -> list[tuple[int, date]]:
    """Each offset with its civil date, earliest first; negative offsets lie before the due date."""
    return [(offset, due + timedelta(days=offset)) for offset in sorted(set(offsets))]


def reminder_due(
    due: date, today: date, sent: Collection[int], offsets: Sequence[int] = DEFAULT_REMINDERS
) -> int | None:
    """The offset of the reminder to send today, or None.

    After downtime only the latest that has come is sent, not all that were missed; one that is earlier than a
    reminder already sent never follows it.
    """
    come = [offset for offset, day in reminder_dates(due, offsets) if day <= today]
    return come[-1] if come and come[-1] > max(sent, default=come[-1] - 1) else None


def earliest_unpaid_due(open_invoices: Iterable[tuple[date, Money]]) -> date | None:
    """The earliest due date among (due date, payable) with something payable: dunning counts from it."""
    return min((due for due, payable in open_invoices if payable.amount_minor > 0), default=None)


def blocks_bookings(earliest_due: date | None, today: date, after_days: int | None = DEFAULT_BLOCK_AFTER_DAYS) -> bool:
    """Whether a customer may not book until they pay; ``after_days`` None switches it off."""
    return after_days is not None and earliest_due is not None and (today - earliest_due).days >= after_days


def late_fees_owed(policy: LateFeePolicy, due: date, today: date) -> int:
    """How many late fees an invoice has earned by ``today``: the caller makes those not made yet, as new fees."""
    over = (today - due).days - policy.grace_days
    if over <= 0:
        return 0
    return 1 if policy.repeat_every_days == 0 else 1 + (over - 1) // policy.repeat_every_days


def late_fee(policy: LateFeePolicy, payable: Money) -> Money:
    """The amount of one late fee on what is payable, rounded once."""
    fee = payable.times(policy.percent / HUNDRED)
    return fee + policy.amount if policy.amount is not None else fee
