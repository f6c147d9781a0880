"""When an unpaid invoice next needs attention: a reminder, being overdue, blocks and ends, a late fee (PAY-8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from common.clock import at_local_hour, start_of_day
from invoicing.domain.dunning import LateFeePolicy
from invoicing.models import BillingSettings, Invoice

# After the hour of the automatic charges, so that nobody is reminded of what is just being collected.
HOURS_AFTER_CHARGE = 1


def next_dunning(
    settings: BillingSettings, customer: Any, invoice: Mapping[str, Any], after: datetime, *, fresh: bool = False
) -> datetime | None:
    """The next instant, later than ``after``, at which an open invoice's dunning has something to do; else None.

    A ``fresh`` invoice that was issued late skips the reminders it missed, and nothing else.
    """
    if invoice["state"] != "open" or not invoice["payable_minor"]:
        return None
    steps = dunning_steps(
        settings,
        invoice["due_date"],
        invoice["timezone"],
        reminders=customer.reminders,
        collect=invoice["collect"] or invoice["collect_now"],
    )
    late = (at for at, kind, _ in steps if at > after or (fresh and kind != "reminder"))
    return min(late, default=None)


def missed_reminders(settings: BillingSettings, invoice: Mapping[str, Any], now: datetime) -> list[int]:
    """The reminders whose time had passed when the invoice was issued: they are not made up for."""
    steps = dunning_steps(settings, invoice["due_date"], invoice["timezone"], reminders=True, collect=False)
    return [day for at, kind, day in steps if kind == "reminder" and at <= now]


class DunningPlanner:
    """The dunning of invoices just issued; those of a run share their due dates, so each is worked out once."""

    def __init__(self, settings: BillingSettings, now: datetime) -> None:
        self._settings, self._now = settings, now
        self._known: dict[tuple[Any, ...], tuple[list[int], datetime | None]] = {}

    def plan(self, customer: Any, invoice: Mapping[str, Any]) -> tuple[list[int], datetime | None]:
        """The reminders that were missed, and the next instant with something to do."""
        if invoice["state"] != "open":
            return [], None
        collect = invoice["collect"] or invoice["collect_now"]
        key = (invoice["due_date"], invoice["timezone"], customer.reminders, collect)
        if key not in self._known:
            self._known[key] = (
                missed_reminders(self._settings, invoice, self._now),
                next_dunning(self._settings, customer, invoice, self._now, fresh=True),
            )
        return self._known[key]


def dunning_steps(
    settings: BillingSettings, due: date, zone: str, *, reminders: bool, collect: bool
) -> Iterator[tuple[datetime, str, int]]:
    """(instant, kind, day) of every step: ``reminder`` (not up to the due date when it is charged automatically),
    ``overdue``, ``block``, ``end`` (of memberships) and ``late_fee`` with its number of days past due.

    For a customer without ``reminders`` an invoice is overdue, and nothing else comes of it (PAY-8).
    """
    hour = min(settings.charge_hour + HOURS_AFTER_CHARGE, 23)
    if reminders:
        for offset in sorted(set(settings.reminders)):
            if offset > 0 or not collect:
                yield at_local_hour(due + timedelta(days=offset), hour, zone), "reminder", offset
    yield start_of_day(due + timedelta(days=1), zone), "overdue", 1
    if not reminders:
        return
    after = {"block": settings.block_bookings_after_days, "end": settings.end_memberships_after_days}
    for kind, days in after.items():
        if days is not None:
            yield start_of_day(due + timedelta(days=days), zone), kind, days
    policy = settings.late_fee_policy
    if policy is not None:
        for day in _late_fee_days(policy):
            yield start_of_day(due + timedelta(days=day), zone), "late_fee", day


def _late_fee_days(policy: LateFeePolicy) -> Iterator[int]:
    first = policy.grace_days + 1
    yield first
    if policy.repeat_every_days:
        yield from range(first + policy.repeat_every_days, first + 366, policy.repeat_every_days)


def invoice_values(invoice: Invoice) -> dict[str, Any]:
    """The columns of an invoice that its dunning depends on."""
    names = ("state", "payable_minor", "due_date", "timezone", "collect", "collect_now")
    return {name: getattr(invoice, name) for name in names}
