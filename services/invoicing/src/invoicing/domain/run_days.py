"""On which run an item is invoiced: usage in arrears, flagged fees in advance (BIL-1, BIL-3)."""

from __future__ import annotations

from datetime import date, timedelta

from .periods import Anchor, boundary, period_index


def next_run_day(anchor: Anchor, after: date, generate_days_before: int = 0) -> date:
    """The first planned run day of the customer's periods that lies after ``after``."""
    ahead = timedelta(days=generate_days_before)
    return boundary(anchor, period_index(anchor, after + ahead) + 1) - ahead


def item_issue_date(
    anchor: Anchor, *, dated: date, created_on: date, in_advance: bool = False, generate_days_before: int = 0
) -> date:
    """The planned invoice date of a fee or booking on ``dated``.

    In arrears it joins the first run whose cut-off lies after its date; what arises after a run goes to the next one.
    In advance it joins the first run on or after its creation.
    """
    made = created_on - timedelta(days=1)
    return next_run_day(anchor, made if in_advance else max(made, dated), generate_days_before)
