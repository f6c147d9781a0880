"""A void gives back exactly the days that its invoice billed: none is lost, none is billed twice (BIL-2, DOC-3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def run(house: Any, as_of: str) -> Any:
    return house.post("/v1/billing-runs", {"as_of": as_of})


def end(house: Any, membership: dict[str, Any], day: str | None) -> Any:
    return house.post(f"/v1/memberships/{membership['id']}/end", {"end_date": day}, 200)


def billed(made: dict[str, Any]) -> list[tuple[str, str, int]]:
    """(first day, end, net) of the lines of a run."""
    return [
        (line["period"]["start"], line["period"]["end"], line["net"]["amount_minor"])
        for invoice in made["invoices"]
        for line in invoice["lines"]
    ]


def test_days_billed_again_after_an_end_are_billed_once_more_after_a_void(house: Any) -> None:
    """BIL-7: March billed, ended on the 20th and credited, the end taken back, the rest billed as a second line."""
    membership = house.join("2027-03-01", price={"amount_minor": 31000, "currency": "EUR"})
    run(house, "2027-03-01")
    end(house, membership, "2027-03-20")
    end(house, membership, None)
    second = run(house, "2027-03-21")
    assert billed(second) == [("2027-03-21", "2027-04-01", 11000)]
    house.post(f"/v1/invoices/{second['invoices'][0]['id']}/void", {}, 200)
    assert house.get(f"/v1/memberships/{membership['id']}")["billed_until"] == "2027-03-21"
    assert billed(run(house, "2027-04-01")) == [
        ("2027-03-21", "2027-04-01", 11000),
        ("2027-04-01", "2027-05-01", 31000),
    ]


def test_a_period_billed_in_full_with_an_end_in_it_is_not_billed_again_by_a_later_void(house: Any) -> None:
    """PRO-1: without proration the line stops at the end, and yet the whole month was charged."""
    membership = house.join("2027-03-01", plan=house.add_plan(31000, prorate=False))
    end(house, membership, "2027-03-20")
    assert billed(run(house, "2027-03-01"))[0][2] == 31000
    end(house, membership, None)
    april = run(house, "2027-04-01")
    house.post(f"/v1/invoices/{april['invoices'][0]['id']}/void", {}, 200)
    assert house.get(f"/v1/memberships/{membership['id']}")["billed_until"] == "2027-04-01"
    assert billed(run(house, "2027-04-01")) == [("2027-04-01", "2027-05-01", 31000)]


def test_a_void_of_several_periods_begins_at_the_first_of_them(house: Any) -> None:
    membership = house.join("2027-03-01")
    run(house, "2027-03-01")
    house.advance(datetime(2027, 5, 1, 8, 0, tzinfo=UTC))
    both = house.post("/v1/invoices", {"member_id": house.mem})
    assert [line["period"]["start"] for line in both["lines"]] == ["2027-04-01", "2027-05-01"]
    house.post(f"/v1/invoices/{both['id']}/void", {}, 200)
    assert house.get(f"/v1/memberships/{membership['id']}")["billed_until"] == "2027-04-01"


def test_a_setup_fee_voided_alone_is_billed_again_with_the_first_period(house: Any) -> None:
    """Nothing of the membership is billed then, so that all of it is billed anew."""
    house.join("2027-03-01", setup_fee={"amount_minor": 5000, "currency": "EUR"})
    first = run(house, "2027-03-01")
    house.post(f"/v1/invoices/{first['invoices'][0]['id']}/void", {}, 200)
    assert len(billed(run(house, "2027-03-01"))) == 2


def test_a_draft_of_a_period_billed_in_full_does_not_bring_it_back_when_it_is_issued(house: Any) -> None:
    """PRO-1: its line stops at the end that stood then."""
    membership = house.join("2027-02-01", plan=house.add_plan(28000, prorate=False))
    end(house, membership, "2027-02-20")
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    house.post(f"/v1/invoices/{draft['id']}/issue", {}, 200)
    assert house.get(f"/v1/memberships/{membership['id']}")["billed_until"] == "2027-03-01"
    end(house, membership, None)
    assert billed(run(house, "2027-03-01")) == [("2027-03-01", "2027-04-01", 28000)]
