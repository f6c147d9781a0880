"""Reminders and blocking by days since the earliest unpaid due date (PAY-8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DEFAULT_REMINDER_DAYS = (-3, 0, 3, 7, 14)
DEFAULT_BLOCK_AFTER_DAYS = 14


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """Steps in days after (negative: before) the due date; ``block_after_days`` None never blocks bookings."""

    reminder_days: Sequence[int] = DEFAULT_REMINDER_DAYS
    block_after_days: int | None = DEFAULT_BLOCK_AFTER_DAYS

    def __post_init__(self) -> None:
        if list(self.reminder_days) != sorted(set(self.reminder_days)):
            raise ValueError("reminder days rise, each once")
        if self.block_after_days is not None and self.block_after_days < 0:
            raise ValueError("bookings are blocked on or after the due date")


def earliest_unpaid(due_dates: Collection[date]) -> date | None:
    """The date that a customer's dunning counts from; None, and thus no dunning at all, when nothing is unpaid."""
    return min(due_dates, default=None)


def reminder_dates(due_date: date, policy: DunningPolicy) -> list[date]:
    """The local dates on which reminders are due for an invoice."""
    return [due_date + timedelta(days=step) for step in policy.reminder_days]


def due_reminder(
    due_date: date, today: date, sent: Collection[int], policy: DunningPolicy, *, opted_out: bool = False
) -> int | None:
    """The step (in days) to send today, or None.

    After a pause only the latest step that has come is sent, and none when it or a later one was sent already: nobody
    gets three letters in one morning.
    """
    reached = [step for step in policy.reminder_days if due_date + timedelta(days=step) <= today]
    if opted_out or not reached or any(step >= reached[-1] for step in sent):
        return None
    return reached[-1]


def next_dunning_date(due_date: date, today: date, policy: DunningPolicy) -> date | None:
    """The next local date after today on which a step or the block falls, for the scheduler; None when all are past."""
    days = list(policy.reminder_days)
    if policy.block_after_days is not None:
        days.append(policy.block_after_days)
    return min((day for step in days if (day := due_date + timedelta(days=step)) > today), default=None)


def is_blocked(earliest_due: date | None, today: date, policy: DunningPolicy) -> bool:
    """Whether a customer may not book: from that day on, and no longer once the last overdue invoice is paid."""
    if earliest_due is None or policy.block_after_days is None:
        return False
    return today >= earliest_due + timedelta(days=max(policy.block_after_days, 1))
