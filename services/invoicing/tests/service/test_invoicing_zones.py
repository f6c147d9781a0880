"""Zones, summer time and leap days: each membership is billed at the first instant of its local day, once (BIL-2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from common.clock import local_date
from common.ids import encode_id
from invoicing.models import Membership

# Summer time that begins or ends at midnight, half hours, the date line, a day that was skipped.
ZONES = [
    "Europe/Berlin", "America/New_York", "Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Asuncion",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC",
]  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    zone=st.sampled_from(ZONES),
    start=st.dates(date(2027, 1, 1), date(2028, 12, 31)),
    interval=st.sampled_from([("week", 1), ("week", 2), ("month", 1), ("month", 3), ("year", 1)]),
    billing_day=st.one_of(st.none(), st.integers(1, 31)),
)
def test_in_any_zone_a_period_is_billed_at_the_first_instant_of_its_day(
    house: Any, zone: str, start: date, interval: tuple[str, int], billing_day: int | None
) -> None:
    plan = house.add_plan(interval=interval[0], interval_count=interval[1])
    location = house.add_location(zone)
    member = house.add_member(location_id=location, billing_day=billing_day)
    body = {"plan_id": encode_id("pln", plan), "member_id": encode_id("mem", member), "start_date": start.isoformat()}
    made = house.post("/v1/memberships", {**body, "location_id": encode_id("loc", location)})
    with house.database.session(house.organization_id) as session:
        run_at = session.scalars(select(Membership.run_at).where(Membership.location_id == location)).one()
    planned = date.fromisoformat(made["next_invoice_on"])
    assert local_date(run_at, zone) == planned
    assert local_date(run_at - timedelta(microseconds=1), zone) < planned


@pytest.mark.parametrize(
    ("zone", "day", "instant"),
    [
        ("Europe/Berlin", "2027-03-28", datetime(2027, 3, 27, 23, 0, tzinfo=UTC)),
        ("Asia/Beirut", "2027-03-28", datetime(2027, 3, 27, 22, 0, tzinfo=UTC)),
        ("America/Havana", "2027-11-07", datetime(2027, 11, 7, 4, 0, tzinfo=UTC)),
        ("Pacific/Kiritimati", "2028-02-29", datetime(2028, 2, 28, 10, 0, tzinfo=UTC)),
    ],
)
def test_the_days_on_which_clocks_change_are_billed_when_they_begin(
    build_house: Any, zone: str, day: str, instant: datetime
) -> None:
    """In Beirut there is no midnight that day, in Havana there are two: the first counts."""
    house = build_house(instant - timedelta(days=2))
    house.set(automatic_generation=True, period_start="membership_start")
    location = encode_id("loc", house.add_location(zone))
    house.join(day, location_id=location)
    house.advance(instant - timedelta(seconds=1))
    assert house.invoices() == []
    house.advance(instant)
    (invoice,) = house.invoices()
    assert (invoice["issue_date"], invoice["lines"][0]["explain"]) == (day, "full month")


def test_a_leap_year_is_billed_month_by_month_from_the_31st(build_house: Any) -> None:
    """BIL-2: anchor 31 over February 2028; twelve whole months, no gap, no overlap, and a run has nothing left."""
    house = build_house(datetime(2028, 1, 31, 12, 0, tzinfo=UTC))
    house.set(automatic_generation=True, period_start="membership_start")
    house.join("2028-01-31")
    house.advance(datetime(2029, 1, 30, 12, 0, tzinfo=UTC))
    periods = [invoice["lines"][0]["period"] for invoice in house.invoices()]
    assert [period["start"] for period in periods][:3] == ["2028-01-31", "2028-02-29", "2028-03-31"]
    assert len(periods) == 12
    assert all(one["end"] == other["start"] for one, other in pairwise(periods))
    assert {invoice["total"]["amount_minor"] for invoice in house.invoices()} == {30000}
    assert house.post("/v1/billing-runs", {"as_of": "2029-01-30"})["counts"]["invoices"] == 0
