"""``/v1/plans`` through the app, on a real database."""

from __future__ import annotations

from typing import Any

import pytest

EUR = {"amount_minor": 30000, "currency": "EUR"}


def test_the_storys_plan_is_accepted_and_told(shop: Any) -> None:
    body = {"name": "Flex desk", "kind": "recurring", "price": EUR, "interval": "month"}
    plan = shop.made("/v1/plans", {**body, "interval_count": 1, "prorate": True})
    assert plan["id"].startswith("pln_")
    assert (plan["visibility"], plan["trial_days"], plan["setup_fee"]) == ("public", 0, None)
    assert plan["credits_hours"] == "0"
    [message] = shop.messages("plan-changed")
    assert (message["price"], message["interval"], message["prorate"]) == (EUR, "month", True)


def test_every_field_comes_back_as_it_was_sent(shop: Any) -> None:
    sent = {
        "name": "Team office",
        "description": "A room of your own",
        "kind": "recurring",
        "price": EUR,
        "interval": "week",
        "interval_count": 2,
        "prorate": False,
        "setup_fee": {"amount_minor": 5000, "currency": "EUR"},
        "deposit": {"amount_minor": 60000, "currency": "EUR"},
        "trial_days": 7,
        "minimum_term_months": 6,
        "notice_days": 30,
        "credits_hours": "10.5",
        "credits_carry_over_cap": "5",
        "passes": 4,
        "resource_discount_percent": "12.5",
        "tax_percent": "19",
        "tax_category": "S",
        "prices_include_tax": False,
        "revenue_account": "8400",
        "visibility": "members",
    }
    plan = shop.made("/v1/plans", sent)
    assert {name: plan[name] for name in sent} == sent
    assert shop.owner.get(f"/v1/plans/{plan['id']}").json == plan
    [message] = shop.messages("plan-changed")
    told = {**message, "name": message["display_name"]}
    assert {name: told[name] for name in sent} == sent


def test_a_price_of_nothing_and_a_deposit_of_nothing_are_amounts(shop: Any) -> None:
    nothing = {"amount_minor": 0, "currency": "EUR"}
    plan = shop.plan(price=nothing, deposit=nothing, setup_fee=None)
    assert (plan["price"], plan["deposit"], plan["setup_fee"]) == (nothing, nothing, None)
    changed = shop.owner.patch(f"/v1/plans/{plan['id']}", {"deposit": None, "setup_fee": nothing}).json
    assert (changed["deposit"], changed["setup_fee"]) == (None, nothing)


def test_a_one_off_plan_has_nothing_periodical(shop: Any) -> None:
    day_pass = shop.made("/v1/plans", {"name": "Day pass", "kind": "one_off", "price": EUR, "passes": 1})
    assert (day_pass["interval"], day_pass["prorate"], day_pass["passes"]) == (None, False, 1)
    recurring = shop.made("/v1/plans", {"name": "Flex", "kind": "recurring", "price": EUR})
    assert (recurring["interval"], recurring["prorate"]) == ("month", True)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "weekly"}, "/kind"),
        ({"price": {"amount_minor": 100, "currency": "USD"}}, "/price"),
        ({"price": {"amount_minor": -1, "currency": "EUR"}}, "/price"),
        ({"price": 300}, "/price"),
        ({"price": None}, "/price"),
        ({"setup_fee": {"amount_minor": 100, "currency": "USD"}}, "/setup_fee"),
        ({"deposit": {"amount_minor": "100", "currency": "EUR"}}, "/deposit"),
        ({"interval": None}, "/interval"),
        ({"interval": "day"}, "/interval"),
        ({"interval_count": 0}, "/interval_count"),
        ({"interval_count": 2**70}, "/interval_count"),
        ({"prorate": "true"}, "/prorate"),
        ({"trial_days": -1}, "/trial_days"),
        ({"credits_hours": 10}, "/credits_hours"),
        ({"credits_hours": "NaN"}, "/credits_hours"),
        ({"resource_discount_percent": "100.1"}, "/resource_discount_percent"),
        ({"tax_category": "X"}, "/tax_category"),
        ({"visibility": "plans"}, "/visibility"),
        ({"colour": "red"}, "/colour"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_bad_input_is_refused_with_a_pointer_and_changes_nothing(
    shop: Any, method: str, change: dict[str, Any], pointer: str
) -> None:
    plan = shop.plan()
    body = {"name": "x", "kind": "recurring", "price": EUR} if method == "POST" else {}
    path = "/v1/plans" if method == "POST" else f"/v1/plans/{plan['id']}"
    refused = shop.owner.request(method, path, json={**body, **change})
    assert refused.status_code == 422, refused.json
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert shop.owner.get("/v1/plans").json["items"] == [plan]
    assert len(shop.messages("plan-changed")) == 1


@pytest.mark.parametrize(
    "change", [{"interval": "month"}, {"prorate": True}, {"trial_days": 1}, {"notice_days": 1}, {"interval_count": 2}]
)
def test_periodical_things_on_a_one_off_plan_are_refused(shop: Any, change: dict[str, Any]) -> None:
    refused = shop.owner.post("/v1/plans", {"name": "x", "kind": "one_off", "price": EUR, **change})
    assert (refused.status_code, refused.json["code"]) == (422, "recurring_only")
    assert refused.json["errors"][0]["pointer"] == f"/{next(iter(change))}"


def test_how_long_an_allowance_is_good_is_for_one_off_plans(shop: Any) -> None:
    ten = {"name": "Ten days", "kind": "one_off", "price": EUR, "passes": 10, "allowance_valid_days": 180}
    made = shop.made("/v1/plans", ten)
    assert made["allowance_valid_days"] == 180
    changed = shop.owner.patch(f"/v1/plans/{made['id']}", {"allowance_valid_days": None})
    assert changed.json["allowance_valid_days"] is None
    assert [message["allowance_valid_days"] for message in shop.messages("plan-changed")] == [180, None]
    for days in (0, -1, 3661):
        refused = shop.owner.patch(f"/v1/plans/{made['id']}", {"allowance_valid_days": days})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/allowance_valid_days")
    flex = {"name": "Flex", "kind": "recurring", "price": EUR, "allowance_valid_days": 30}
    refused = shop.owner.post("/v1/plans", flex)
    assert (refused.status_code, refused.json["code"]) == (422, "one_off_only")
    assert refused.json["errors"][0]["pointer"] == "/allowance_valid_days"


def test_a_plan_keeps_its_kind(shop: Any) -> None:
    plan = shop.plan()
    refused = shop.owner.patch(f"/v1/plans/{plan['id']}", {"kind": "one_off"})
    assert (refused.status_code, refused.json["code"]) == (422, "kind_is_fixed")
    same = shop.owner.patch(f"/v1/plans/{plan['id']}", {"kind": "recurring", "price": {**EUR, "amount_minor": 1}})
    assert same.json["price"]["amount_minor"] == 1


def test_members_and_strangers_see_what_they_may(shop: Any, open_shop: Any) -> None:
    plans = {name: shop.plan(name=name, visibility=name) for name in ("public", "members", "private")}
    old = shop.plan(name="old")
    assert shop.owner.delete(f"/v1/plans/{old['id']}").status_code == 204
    member = shop.client("member")
    for query in ("", "?archived=true"):
        assert [p["name"] for p in member.get(f"/v1/plans{query}").json["items"]] == ["public", "members"]
    assert member.get("/v1/plans?visibility=private").json["items"] == []
    assert member.get(f"/v1/plans/{plans['private']['id']}").status_code == 404
    assert member.get(f"/v1/plans/{old['id']}").status_code == 404
    assert member.post("/v1/plans", {}).status_code == 403
    stranger = open_shop().owner
    for answer in (
        stranger.get(f"/v1/plans/{old['id']}"),
        stranger.patch(f"/v1/plans/{old['id']}", {"name": "x"}),
        stranger.delete(f"/v1/plans/{plans['public']['id']}"),
        stranger.post(f"/v1/plans/{old['id']}/restoration"),
    ):
        assert answer.status_code == 404
    assert shop.owner.get(f"/v1/plans/{plans['public']['id']}").json == plans["public"]
