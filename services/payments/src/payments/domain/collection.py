"""What to do next about an unpaid invoice, from what is known of it (PAY-1 to PAY-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.money import Money
from payments.domain.schedule import DEFAULT_RETRY_DAYS, ChargeCalendar, Failure, attempt_number, retry_at


class NextStep(StrEnum):
    """``wait``: an attempt runs and only its outcome decides. ``ask_for_method``: the member must act."""

    NOTHING = "nothing"
    CHARGE = "charge"
    WAIT = "wait"
    ASK_FOR_METHOD = "ask_for_method"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """An invoice as payments knows it. ``running``: an attempt is unknown, pending or waits for the member.

    ``method_since``: when the method to be charged was saved or became the default; None without one. ``at_once``: the
    customer chose to pay on the spot, and then that instant stands in for the due date's.
    """

    payable: Money
    due_date: date
    automatic: bool
    running: bool
    failures: Sequence[Failure] = ()
    method_since: datetime | None = None
    at_once: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step; for ``charge`` also the instant (past ones mean now) and the attempt's number."""

    step: NextStep
    at: datetime | None = None
    attempt: int | None = None


def decide(
    facts: CollectionFacts, calendar: ChargeCalendar, retry_days: Sequence[int] = DEFAULT_RETRY_DAYS
) -> Decision:
    """The one place that says when an invoice is charged; the same facts always give the same answer."""
    if facts.payable.amount_minor <= 0:
        return Decision(NextStep.NOTHING)
    if facts.running:
        return Decision(NextStep.WAIT)
    if not facts.automatic:
        return Decision(NextStep.NOTHING)
    if facts.method_since is None:
        return Decision(NextStep.ASK_FOR_METHOD)
    at = _charge_at(facts, facts.method_since, calendar, retry_days)
    if at is not None:
        return Decision(NextStep.CHARGE, at, attempt_number(facts.failures))
    return Decision(NextStep.ASK_FOR_METHOD if _last(facts).hard else NextStep.GIVE_UP)


def _charge_at(
    facts: CollectionFacts, method_since: datetime, calendar: ChargeCalendar, retry_days: Sequence[int]
) -> datetime | None:
    due = facts.at_once or calendar.charge_at(facts.due_date)
    if not facts.failures:
        return due
    if method_since > _last(facts).failed_at:
        # A new method is tried at once, whatever became of the old one (PAY-2).
        return max(due, method_since)
    retry = retry_at(facts.failures, calendar, retry_days)
    # A Pay Now may have failed long before the due date, and automatic collection never comes earlier (PAY-1).
    return None if retry is None else max(due, retry)


def _last(facts: CollectionFacts) -> Failure:
    return max(facts.failures, key=lambda failure: failure.failed_at)


def idempotency_key(invoice_id: str, attempt: int) -> str:
    """The provider's key of an attempt: invoice + attempt, so that the same attempt is never two charges (PAY-1)."""
    return f"{invoice_id}:{attempt}"
