"""What memberships owe is worked out once for those that stand alike, and is what each would owe by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain.membership_lines import billable_lines, next_issue_date
from invoicing.services.billing import charges
from invoicing.services.billing.charges import Charges
from invoicing.services.scheduling import membership_terms

DAY = date(2027, 1, 1)
days = st.integers(0, 120).map(lambda number: DAY + timedelta(days=number))


def membership(**values: Any) -> Any:
    fields: dict[str, Any] = {
        "currency": "EUR", "price_minor": 30000, "setup_fee_minor": None, "deposit_minor": None, "anchor_date": DAY,
        "interval": "month", "interval_count": 1, "start_date": DAY, "end_date": None, "earliest_issue": DAY,
        "quantity": Decimal(1), "discount_percent": Decimal(0), "prorate": True, "pauses": [], "pause_list": (),
        "trial_days": 0, "billed_until": date(2027, 3, 1),
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **values})


memberships = st.builds(
    membership,
    start_date=days,
    earliest_issue=days,
    billed_until=st.none() | days,
    end_date=st.none() | days.map(lambda day: day + timedelta(days=120)),
    trial_days=st.sampled_from([0, 0, 14]),
    setup_fee_minor=st.sampled_from([None, 5000]),
    prorate=st.booleans(),
    interval=st.sampled_from(["week", "month"]),
)


@given(crowd=st.lists(memberships, min_size=1, max_size=6), ahead=st.sampled_from([0, 10]), as_of=days)
def test_each_owes_what_it_would_owe_by_itself(crowd: list[Any], ahead: int, as_of: date) -> None:
    shared = Charges(ahead)
    for each in crowd * 2:
        terms = membership_terms(each, ahead)
        assert list(shared.lines(each, as_of)) == billable_lines(terms, as_of)
        until = (each.billed_until or each.start_date) + timedelta(days=31)
        assert shared.next_issue(each, until) == next_issue_date(replace(terms, billed_until=until))


def test_those_that_stand_alike_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(charges, "billable_lines", lambda *args: asked.append(args) or billable_lines(*args))
    shared = Charges(0)
    for month in (1, 2):
        shared.lines(membership(start_date=date(2026, month, 5), earliest_issue=date(2026, month, 5)), DAY)
    assert len(asked) == 1
    shared.lines(membership(price_minor=1), DAY)
    assert len(asked) == 2
