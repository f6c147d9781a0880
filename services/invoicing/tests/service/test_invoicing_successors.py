"""What a membership takes over from the one it replaces, and who may go on beside it (PRO-4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.ids import encode_id, new_id
from contracts.catalog import PromoCodeChanged


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def change(house: Any, membership: dict[str, Any], plan: Any, status: int = 200, **body: Any) -> Any:
    path = f"/v1/memberships/{membership['id']}/plan-change"
    return house.post(path, {"plan_id": encode_id("pln", plan), **body}, status)


def planned(house: Any, as_of: str) -> list[tuple[str, int]]:
    """Kind and net amount of each line of a dry run."""
    run = house.post("/v1/billing-runs", {"as_of": as_of, "dry_run": True}, 200)
    return [(line["kind"], line["net"]["amount_minor"]) for each in run["invoices"] for line in each["lines"]]


def test_discount_and_quantity_go_on_and_the_preview_says_so(house: Any) -> None:
    made = house.join("2027-03-01", quantity="2", discount_percent="10", price=euro(20000))
    office = house.add_plan(45000, display_name="Office")
    shown = change(house, made, office, date="2027-04-01", preview=True)
    (charge,) = shown["lines"]
    assert (charge["quantity"], charge["discount_percent"], charge["net"]) == ("2", "10", euro(81000))
    assert charge["explain"] == "full month, 10 % off"
    new = change(house, made, office, date="2027-04-01")["membership"]
    assert (new["quantity"], new["discount_percent"], new["price"]) == ("2", "10", euro(45000))


def test_a_discount_that_is_given_takes_the_place_of_the_old_one(house: Any) -> None:
    made = house.join("2027-03-01", discount_percent="10")
    new = change(house, made, house.add_plan(45000), date="2027-04-01", discount_percent="0")["membership"]
    assert new["discount_percent"] == "0"


@pytest.mark.parametrize(("for_all", "kept"), [(True, "55"), (False, "10")])
def test_a_promo_code_goes_on_for_the_plans_it_is_for(house: Any, for_all: bool, kept: str) -> None:
    scope = {} if for_all else {"plan_ids": [str(house.plan)]}
    house.feed(PromoCodeChanged(promo_code_id=new_id(), code="HALF", percent=Decimal(50), scope=scope, version=1))
    made = house.join("2027-03-01", discount_percent="10", promo_code="half")
    new = change(house, made, house.add_plan(45000), date="2027-04-01")["membership"]
    assert new["discount_percent"] == kept


def test_setup_fee_deposit_and_the_rest_of_a_trial_are_not_lost(house: Any) -> None:
    """A change on the fifth day of fourteen: nine days are left, and what is asked for once is asked for then."""
    made = house.join("2027-02-01", trial_days=14, setup_fee=euro(5000), deposit=euro(60000))
    done = change(house, made, house.add_plan(45000), date="2027-02-06", timing="now")
    assert [line["net"] for line in done["lines"]] == [euro(5000), euro(60000), euro(22500)]
    new = done["membership"]
    assert (new["trial_days"], new["next_invoice_on"]) == (9, "2027-02-15")
    assert planned(house, "2027-02-15") == [("setup_fee", 5000), ("deposit", 60000), ("membership", 22500)]


def test_what_is_asked_for_once_is_billed_once_whoever_bills_it(house: Any) -> None:
    """The old membership ran from 1 Feb and bills its own setup fee."""
    made = house.join("2027-02-01", setup_fee=euro(5000))
    change(house, made, house.add_plan(45000), date="2027-02-15")
    assert [amount for kind, amount in planned(house, "2027-03-01") if kind == "setup_fee"] == [5000]


def test_pauses_to_come_go_on(house: Any) -> None:
    """PRO-6: paused 10 to 20 Mar and changed on 15 Mar: the new plan costs from 21 Mar, 11 of 31 days."""
    made = house.join("2027-03-01")
    house.post(f"/v1/memberships/{made['id']}/pause", {"from": "2027-03-10", "to": "2027-03-20"}, 200)
    house.post(f"/v1/memberships/{made['id']}/pause", {"from": "2027-05-01"}, 200)
    done = change(house, made, house.add_plan(31000), date="2027-03-15")
    assert done["membership"]["pauses"] == [
        {"from": "2027-03-15", "to": "2027-03-20"},
        {"from": "2027-05-01", "to": None},
    ]
    assert done["lines"][0]["net"] == euro(11000)


def test_another_interval_is_counted_from_the_day_of_the_change(house: Any) -> None:
    """A whole year for the whole price, though the old membership began in March."""
    house.set(period_start="membership_start")
    made = house.join("2026-03-01")
    house.post("/v1/billing-runs", {"as_of": "2027-02-01"})
    yearly = house.add_plan(360000, interval="year", prorate=False)
    shown = change(house, made, yearly, date="2027-02-10", preview=True)
    (line,) = [each for each in shown["lines"] if each["kind"] == "charge"]
    assert (line["period"], line["net"]) == ({"start": "2027-02-10", "end": "2028-02-10"}, euro(360000))


def test_a_membership_of_many_years_changes_its_plan(house: Any) -> None:
    """Its start may by now be further away than that of a new one could be."""
    made = house.join("2022-01-01")
    house._put_clock(datetime(2028, 2, 1, 9, 0, tzinfo=UTC))
    assert change(house, made, house.add_plan(45000), date="2028-03-01")["date"] == "2028-03-01"


@pytest.mark.parametrize("end_date", [None, "2027-04-01", "2027-12-31"])
def test_the_old_membership_does_not_run_on_beside_the_new_one(house: Any, end_date: str | None) -> None:
    made = house.join("2027-03-01")
    new = change(house, made, house.add_plan(45000), date="2027-04-01")["membership"]
    refused = house.api.post(f"/v1/memberships/{made['id']}/end", {"end_date": end_date})
    assert (refused.status_code, refused.json["code"]) == (409, "membership_replaced")
    assert refused.json["replaced_by"] == new["id"]
    assert house.api.patch(f"/v1/memberships/{made['id']}", {"end_date": end_date}).status_code == 409


def test_a_plan_change_is_taken_back_from_the_new_end(house: Any) -> None:
    made = house.join("2027-03-01")
    second = change(house, made, house.add_plan(45000), date="2027-04-01")["membership"]
    third = change(house, second, house.add_plan(50000), date="2027-04-01")["membership"]
    assert house.get(f"/v1/memberships/{second['id']}")["status"] == "cancelled"
    assert house.api.post(f"/v1/memberships/{made['id']}/end", {"end_date": None}).status_code == 409
    house.post(f"/v1/memberships/{third['id']}/end", {"end_date": "2027-03-31"}, 200)
    house.post(f"/v1/memberships/{made['id']}/end", {"end_date": None}, 200)
    assert planned(house, "2027-04-01") == [("membership", 30000), ("membership", 30000)]


def test_who_pays_changes_with_the_personal_flag_from_the_next_period_on(house: Any) -> None:
    """BIL-5."""
    company = house.add_company()
    member = house.add_member(company_id=company)
    made = house.join("2027-02-01", member_id=encode_id("mem", member))
    house.post("/v1/billing-runs", {"as_of": "2027-02-01"})
    house.api.patch(f"/v1/memberships/{made['id']}", {"is_personal": True})
    shown = house.get(f"/v1/memberships/{made['id']}")
    assert shown["customer_id"] == encode_id("mem", member)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert [i["customer_id"] for i in house.invoices()] == [encode_id("com", company), encode_id("mem", member)]
    house.api.patch(f"/v1/memberships/{made['id']}", {"is_personal": False})
    assert house.get(f"/v1/memberships/{made['id']}")["customer_id"] == encode_id("com", company)


def test_a_start_too_far_away_is_refused_in_changes_too(house: Any) -> None:
    made = house.join("2027-03-01")
    refused = house.api.patch(f"/v1/memberships/{made['id']}", {"start_date": date(1999, 1, 1).isoformat()})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_start_date")
