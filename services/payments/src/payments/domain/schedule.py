"""When an invoice is charged and charged again (PAY-1, PAY-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.clock import at_local_hour, local_date

DEFAULT_RETRY_DAYS = (1, 3, 5, 7)
MOST_RETRIES = 12


@dataclass(frozen=True, slots=True)
class ChargeCalendar:
    """The local hour (0-23) at which charges are made, in a location's zone (IANA name)."""

    hour: int
    zone: str

    def __post_init__(self) -> None:
        if not 0 <= self.hour <= 23:
            raise ValueError("the charge hour is 0 to 23")

    def charge_at(self, day: date) -> datetime:
        """The instant at which charges of a civil day are made (PAY-1: on the due date, never earlier)."""
        return at_local_hour(day, self.hour, self.zone)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt, once per attempt however often it is reported. ``hard``: this method never works again.

    ``attended``: somebody paid by themselves and saw it fail, which is no step of the ladder.
    """

    attempt_key: str
    failed_at: datetime
    hard: bool = False
    attended: bool = False


def validate_retry_days(days: Sequence[int]) -> tuple[int, ...]:
    """A retry ladder: up to 12 steps of 1 to 60 days each; the empty ladder means no retries. Raises ValueError."""
    if len(days) > MOST_RETRIES or any(not 1 <= step <= 60 for step in days):
        raise ValueError(f"retry days are at most {MOST_RETRIES} numbers from 1 to 60")
    return tuple(days)


def distinct_failures(failures: Iterable[Failure]) -> list[Failure]:
    """Each attempt's failure once, in the order of time: a webhook delivered again adds none (PAY-2).

    Of several reports about one attempt the earliest instant counts, and hard wins over soft.
    """
    first: dict[str, Failure] = {}
    for failure in failures:
        known = first.get(failure.attempt_key, failure)
        first[failure.attempt_key] = Failure(
            failure.attempt_key,
            min(known.failed_at, failure.failed_at),
            known.hard or failure.hard,
            known.attended and failure.attended,
        )
    return sorted(first.values(), key=lambda failure: (failure.failed_at, failure.attempt_key))


def attempt_number(failures: Iterable[Failure]) -> int:
    """Number of the next attempt, counted from 1; also part of its idempotency key."""
    return len(distinct_failures(failures)) + 1


def retry_at(
    failures: Iterable[Failure], calendar: ChargeCalendar, days: Sequence[int] = DEFAULT_RETRY_DAYS
) -> datetime | None:
    """When to try again after these failures, or None: a hard decline came last, or the ladder is used up (PAY-2).

    Days are local civil days after the last failure's; the n-th failure takes the n-th step. What failed while somebody
    paid by themselves uses no step up: it only keeps the next attempt from coming on the same day.
    """
    known = distinct_failures(failures)
    steps = [failure for failure in known if not failure.attended]
    if not known or known[-1].hard or len(steps) > len(days):
        return None
    soonest = calendar.charge_at(local_date(known[-1].failed_at, calendar.zone) + timedelta(days=1))
    if not steps:
        return soonest
    day = local_date(steps[-1].failed_at, calendar.zone) + timedelta(days=days[len(steps) - 1])
    return max(calendar.charge_at(day), soonest)
