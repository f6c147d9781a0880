"""Whom a rate prices."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from catalog.domain.rates import Reach, reach_of

ANY, WEEKEND = {"when": "any"}, {"when": "weekend"}


@pytest.mark.parametrize(
    ("prices", "conditions", "open_to_public", "for_public", "for_members"),
    [
        ([ANY], {}, True, True, True),
        ([WEEKEND], {}, True, False, False),
        ([WEEKEND, ANY], {}, True, True, True),
        ([ANY], {"audience": "any"}, True, True, True),
        ([ANY], {"audience": "public"}, True, True, False),
        ([ANY], {"audience": "members"}, False, False, True),
        ([ANY], {"plan_ids": ["x"]}, False, False, True),
        ([ANY], {"plan_ids": []}, True, True, True),
        ([ANY], {"company_ids": ["x"]}, False, False, True),
    ],
)
def test_reach(
    prices: list[dict[str, Any]],
    conditions: dict[str, Any],
    open_to_public: bool,
    for_public: bool,
    for_members: bool,
) -> None:
    assert reach_of(prices, conditions) == Reach(open_to_public, for_public, for_members, None)


def test_the_last_day_is_a_date() -> None:
    assert reach_of([ANY], {"valid_until": "2027-08-31"}).valid_until == date(2027, 8, 31)
