"""What memberships owe, worked out once for all that stand alike.

Of a membership that was billed before, and is neither paused nor on trial, only its terms and the day up to which it
was billed decide what comes next: when it began and who holds it do not. Most stand like many others.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from invoicing.domain.membership_lines import BillableLine, billable_lines, next_issue_date
from invoicing.services.scheduling import membership_terms


class Charges:
    """The lines and next invoice dates of memberships, for one run's settings."""

    def __init__(self, generate_days_before: int) -> None:
        self._days_before = generate_days_before
        self._lines: dict[Hashable, Sequence[BillableLine]] = {}
        self._next: dict[Hashable, date | None] = {}

    def lines(self, membership: Any, as_of: date) -> Sequence[BillableLine]:
        """The unbilled lines up to ``as_of``, as `billable_lines`. Raises InvalidError for impossible terms."""
        standing = self._standing(membership)
        if standing is None:
            return billable_lines(membership_terms(membership, self._days_before), as_of)
        key = (standing, as_of)
        if key not in self._lines:
            self._lines[key] = billable_lines(membership_terms(membership, self._days_before), as_of)
        return self._lines[key]

    def next_issue(self, membership: Any, billed_until: date) -> date | None:
        """The planned date of the next line once it is billed up to ``billed_until``, as `next_issue_date`."""
        standing = self._standing(membership)
        if standing is None:
            return self._next_issue(membership, billed_until)
        key = (standing, billed_until)
        if key not in self._next:
            self._next[key] = self._next_issue(membership, billed_until)
        return self._next[key]

    def _next_issue(self, membership: Any, billed_until: date) -> date | None:
        terms = membership_terms(membership, self._days_before)
        return next_issue_date(replace(terms, billed_until=billed_until))

    def _standing(self, membership: Any) -> Hashable | None:
        """What its charges depend on; None when there is more to it."""
        until = membership.billed_until
        if until is None or membership.pauses or membership.trial_days or membership.start_date > until:
            return None
        if membership.earliest_issue > until - timedelta(days=self._days_before):
            return None
        return (
            until, membership.end_date, membership.anchor_date, membership.interval, membership.interval_count,
            membership.prorate, membership.currency, membership.price_minor, membership.quantity,
            membership.discount_percent,
        )  # fmt: skip
