"""``/v1/promo-codes`` through the app, on a real database (GH-3)."""

from __future__ import annotations

from typing import Any

import pytest

EUR = {"amount_minor": 500, "currency": "EUR"}


def test_a_code_is_the_same_in_any_case(shop: Any) -> None:
    """GH-3."""
    made = shop.made("/v1/promo-codes", {"code": "Spring20", "percent": "20"})
    assert (made["code"], made["percent"], made["amount"]) == ("SPRING20", "20", None)
    taken = shop.owner.post("/v1/promo-codes", {"code": "sPRING20", "amount": EUR})
    assert (taken.status_code, taken.json["code"]) == (409, "promo_code_taken")
    assert [c["id"] for c in shop.owner.get("/v1/promo-codes?code=spring20").json["items"]] == [made["id"]]
    assert len(shop.messages("promo-code-changed")) == 1


def test_another_organisation_may_have_the_same_code(shop: Any, open_shop: Any) -> None:
    made = shop.made("/v1/promo-codes", {"code": "SPRING20", "percent": "20"})
    other = open_shop()
    other.made("/v1/promo-codes", {"code": "SPRING20", "percent": "20"})
    path = f"/v1/promo-codes/{made['id']}"
    assert other.owner.get(path).status_code == 404
    assert other.owner.patch(path, {"percent": "99"}).status_code == 404
    assert other.owner.delete(path).status_code == 404
    for role in ("member", "front_desk"):
        assert shop.client(role).post("/v1/promo-codes", {"code": "X1", "percent": "1"}).status_code == 403
    assert shop.client("member").get("/v1/promo-codes").status_code == 403


def test_every_field_comes_back_as_it_was_sent_and_goes_into_the_message(shop: Any) -> None:
    room, plan = shop.room(), shop.plan()
    sent = {
        "code": "FIVER",
        "percent": None,
        "amount": EUR,
        "scope": {
            "kinds": ["booking", "plan"],
            "plan_ids": [plan["id"]],
            "resource_ids": [room["id"]],
            "resource_types": ["hot_desk"],
            "location_ids": [room["location_id"]],
        },
        "max_uses": None,
        "max_uses_per_customer": None,
        "valid_from": "2027-03-01",
        "valid_until": "2027-05-31",
    }
    made = shop.made("/v1/promo-codes", sent)
    assert {name: made[name] for name in sent} == sent
    assert shop.owner.get(f"/v1/promo-codes/{made['id']}").json == made
    [message] = shop.messages("promo-code-changed")
    assert (message["code"], message["amount"], message["percent"]) == ("FIVER", EUR, None)
    assert (message["valid_from"], message["valid_until"]) == ("2027-03-01", "2027-05-31")
    assert message["scope"]["plan_ids"][0].replace("-", "") == plan["id"].removeprefix("pln_")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"code": "x"}, "/code"),
        ({"code": "ÜBER"}, "/code"),
        ({"code": "AB CD"}, "/code"),
        ({"amount": EUR}, "/percent"),
        ({"percent": None}, "/percent"),
        ({"percent": "0"}, "/percent"),
        ({"percent": "100.5"}, "/percent"),
        ({"percent": None, "amount": {"amount_minor": 0, "currency": "EUR"}}, "/amount"),
        ({"percent": None, "amount": {"amount_minor": 1, "currency": "USD"}}, "/amount"),
        ({"max_uses": 0}, "/max_uses"),
        ({"valid_from": "2027-02-02", "valid_until": "2027-02-01"}, "/valid_until"),
        ({"valid_until": "soon"}, "/valid_until"),
        ({"scope": {"kinds": ["fee"]}}, "/scope/kinds/0"),
        ({"scope": {"everything": True}}, "/scope/everything"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_bad_input_is_refused_with_a_pointer_and_changes_nothing(
    shop: Any, method: str, change: dict[str, Any], pointer: str
) -> None:
    made = shop.made("/v1/promo-codes", {"code": "SPRING20", "percent": "20"})
    body = {"code": "OTHER", "percent": "20"} if method == "POST" else {}
    path = "/v1/promo-codes" if method == "POST" else f"/v1/promo-codes/{made['id']}"
    refused = shop.owner.request(method, path, json={**body, **change})
    assert refused.status_code == 422, refused.json
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert shop.owner.get("/v1/promo-codes").json["items"] == [made]


def test_an_archived_code_may_be_used_anew_and_then_not_be_restored(shop: Any) -> None:
    first = shop.made("/v1/promo-codes", {"code": "SUMMER", "percent": "10"})
    path = f"/v1/promo-codes/{first['id']}"
    assert shop.owner.delete(path).status_code == 204
    shop.made("/v1/promo-codes", {"code": "Summer", "percent": "15"})
    refused = shop.owner.post(f"{path}/restoration")
    assert (refused.status_code, refused.json["code"]) == (409, "promo_code_taken")


BOTH = ({"kinds": ["booking", "plan"]}, {}, {"kinds": []})


@pytest.mark.parametrize("limit", ["max_uses", "max_uses_per_customer"])
@pytest.mark.parametrize("scope", BOTH)
def test_a_limit_over_bookings_and_purchases_is_refused(shop: Any, scope: dict[str, Any], limit: str) -> None:
    """GH-3: two services would count it."""
    refused = shop.owner.post("/v1/promo-codes", {"code": "FIRST", "percent": "20", "scope": scope, limit: 1})
    assert (refused.status_code, refused.json["code"]) == (422, "limit_over_two_kinds")
    assert [error["pointer"] for error in refused.json["errors"]] == ["/scope/kinds"]
    made = shop.made("/v1/promo-codes", {"code": "FIRST", "percent": "20", "scope": scope})
    assert shop.owner.patch(f"/v1/promo-codes/{made['id']}", {limit: 1}).json["code"] == "limit_over_two_kinds"
    assert shop.owner.get(f"/v1/promo-codes/{made['id']}").json == made


def test_a_limit_on_one_side_is_accepted_and_the_message_names_the_kinds(shop: Any) -> None:
    plan, room = shop.plan(), shop.room()
    scopes: list[tuple[dict[str, Any], list[str]]] = [
        ({"kinds": ["booking"]}, ["booking"]),
        ({"kinds": ["pass", "plan"]}, ["plan", "pass"]),
        ({"plan_ids": [plan["id"]]}, ["plan", "pass"]),
        ({"resource_ids": [room["id"]]}, ["booking"]),
        ({"resource_types": ["hot_desk"]}, ["booking"]),
    ]
    for number, (scope, _) in enumerate(scopes):
        body = {"code": f"CODE{number}", "percent": "20", "max_uses": 100, "max_uses_per_customer": 1, "scope": scope}
        assert shop.made("/v1/promo-codes", body)["max_uses"] == 100
    told = shop.messages("promo-code-changed")
    assert [message["scope"]["kinds"] for message in told] == [kinds for _, kinds in scopes]
    assert {(message["max_uses"], message["max_uses_per_customer"]) for message in told} == {(100, 1)}


def test_a_percentage_can_become_an_amount(shop: Any) -> None:
    made = shop.made("/v1/promo-codes", {"code": "SUMMER", "percent": "10"})
    changed = shop.owner.patch(f"/v1/promo-codes/{made['id']}", {"percent": None, "amount": EUR})
    assert (changed.json["percent"], changed.json["amount"]) == (None, EUR)
