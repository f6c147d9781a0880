"""What members do to their own memberships (PRO-4, PRO-6, PRO-8), and where the house is asked instead."""

from __future__ import annotations

from typing import Any

import pytest

from common.ids import encode_id, new_id


@pytest.fixture
def member(house: Any) -> Any:
    """The house's member, signed in."""
    return house.sign_in(house.app, house.organization_id, role="member", member=str(house.member))


@pytest.fixture
def flex(house: Any) -> str:
    """The path of a membership that is billed for February."""
    made = house.join("2027-02-01")
    house.post("/v1/billing-runs", {"as_of": "2027-02-01"})
    return f"/v1/memberships/{made['id']}"


def test_a_member_sees_what_is_open_and_the_earliest_end_is_after_what_was_billed(member: Any, flex: str) -> None:
    shown = member.get(flex).json
    assert (shown["open_changes"], shown["earliest_end"]) == (["plan_change", "end"], "2027-02-28")


def test_a_member_ends_at_the_earliest_end_and_takes_it_back(member: Any, flex: str) -> None:
    early = member.post(f"{flex}/end", {"end_date": "2027-02-20"})
    assert (early.status_code, early.json["code"], early.json["earliest_end"]) == (409, "commitment", "2027-02-28")
    ended = member.post(f"{flex}/end", {"end_date": "2027-02-28"})
    assert (ended.status_code, ended.json["end_date"], ended.json["next_invoice_on"]) == (200, "2027-02-28", None)
    assert member.post(f"{flex}/end", {"end_date": None}).json["next_invoice_on"] == "2027-03-01"


def test_a_member_does_not_take_back_an_end_that_staff_has_set(house: Any, member: Any, flex: str) -> None:
    house.post(f"{flex}/end", {"end_date": "2027-02-28", "reason": "no longer wanted"}, 200)
    refused = member.post(f"{flex}/end", {"end_date": None})
    assert (refused.status_code, refused.json["code"]) == (409, "end_not_yours")


@pytest.mark.parametrize("more", [{"override": True}, {"reason": "because"}])
def test_a_member_does_not_override_the_terms(member: Any, flex: str, more: dict[str, Any]) -> None:
    refused = member.post(f"{flex}/end", {"end_date": "2027-02-28", **more})
    assert (refused.status_code, refused.json["code"]) == (403, "staff_only")


def test_a_dearer_plan_begins_today_and_a_cheaper_one_after_the_period(house: Any, member: Any, flex: str) -> None:
    dearer, cheaper = (encode_id("pln", house.add_plan(amount)) for amount in (60000, 10000))
    down = member.post(f"{flex}/plan-change", {"plan_id": cheaper, "preview": True}).json
    assert (down["date"], down["timing"], down["lines"][0]["kind"]) == ("2027-03-01", "period_end", "charge")
    up = member.post(f"{flex}/plan-change", {"plan_id": dearer, "preview": True}).json
    assert (up["date"], up["timing"], up["membership"]) == ("2027-02-01", "now", None)
    done = member.post(f"{flex}/plan-change", {"plan_id": dearer})
    assert done.status_code == 200, done.json
    assert done.json["membership"]["price"] == {"amount_minor": 60000, "currency": "EUR"}
    assert done.json["lines"] == up["lines"]


@pytest.mark.parametrize(
    "more", [{"price": {"amount_minor": 1, "currency": "EUR"}}, {"discount_percent": "50"}, {"date": "2027-02-10"}]
)
def test_a_member_does_not_set_the_terms_of_a_plan(house: Any, member: Any, flex: str, more: dict[str, Any]) -> None:
    plan = encode_id("pln", house.add_plan(60000))
    refused = member.post(f"{flex}/plan-change", {"plan_id": plan, **more})
    assert (refused.status_code, refused.json["code"]) == (403, "staff_only")


def test_a_private_plan_does_not_exist_for_members(house: Any, member: Any, flex: str) -> None:
    plan = encode_id("pln", house.add_plan(60000, visibility="private"))
    assert member.post(f"{flex}/plan-change", {"plan_id": plan}).json["code"] == "plan_not_found"
    purchase = {"items": [{"plan_id": plan, "quantity": "1"}]}
    assert member.post("/v1/purchases", purchase).json["code"] == "plan_not_found"


def test_the_minimum_term_binds_a_change_to_a_cheaper_plan(house: Any, member: Any) -> None:
    made = house.join("2027-02-01", minimum_term_months=3)
    plan = encode_id("pln", house.add_plan(10000))
    refused = member.post(f"/v1/memberships/{made['id']}/plan-change", {"plan_id": plan})
    assert (refused.status_code, refused.json["earliest_end"]) == (409, "2027-04-30")


def test_a_pause_is_open_to_members_only_when_the_house_says_so(house: Any, member: Any, flex: str) -> None:
    wish = {"from": "2027-03-01", "to": "2027-03-31"}
    refused = member.post(f"{flex}/pause", wish)
    assert (refused.status_code, refused.json["code"]) == (403, "member_change_off")
    house.set(member_changes=["pause"])
    billed = member.post(f"{flex}/pause", {"from": "2027-02-10", "to": "2027-03-31"})
    assert billed.json["errors"] == [{"pointer": "/from", "detail": "Must be 2027-03-01 or later."}]
    assert member.post(f"{flex}/pause", {"from": "2027-03-01"}).json["errors"][0]["pointer"] == "/to"
    paused = member.post(f"{flex}/pause", wish)
    assert (paused.status_code, paused.json["pauses"]) == (200, [wish])


def test_who_does_not_pay_sees_a_membership_but_changes_nothing(house: Any) -> None:
    company = house.add_company()
    colleague = house.add_member(company_id=company)
    mem = encode_id("mem", colleague)
    made = house.join("2027-02-01", member_id=mem)
    path = f"/v1/memberships/{made['id']}"
    sign_in = {"role": "member", "member": str(colleague), "company": str(company)}
    employee = house.sign_in(house.app, house.organization_id, **sign_in)
    assert employee.get(path).json["open_changes"] == []
    assert employee.post(f"{path}/end", {"end_date": "2027-06-30"}).json["code"] == "member_change_off"
    biller = house.sign_in(house.app, house.organization_id, **sign_in, billing_person=True)
    assert biller.post(f"{path}/end", {"end_date": "2027-06-30"}).status_code == 200


def test_a_strangers_membership_is_not_there(house: Any, flex: str) -> None:
    stranger = house.sign_in(house.app, house.organization_id, role="member", member=str(new_id()))
    assert stranger.post(f"{flex}/end", {"end_date": "2027-06-30"}).status_code == 404
