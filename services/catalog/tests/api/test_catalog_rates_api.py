"""``/v1/resource-rates`` through the app, on a real database (PRI-2 to PRI-5)."""

from __future__ import annotations

from typing import Any

import pytest

EUR = {"amount_minor": 1500, "currency": "EUR"}
CHF = {"amount_minor": 1500, "currency": "CHF"}
HOUR = {"unit": "hour", "price": EUR}


def test_every_field_comes_back_as_it_was_sent_and_goes_into_the_message(shop: Any) -> None:
    room, plan = shop.room(), shop.plan()
    sent = {
        "name": "Summer",
        "resource_ids": [room["id"]],
        "resource_types": ["hot_desk"],
        "prices": [{**HOUR, "when": "any"}, {**HOUR, "when": "weekend"}, {"unit": "day", "price": EUR, "when": "any"}],
        "conditions": {
            "audience": "members",
            "plan_ids": [plan["id"]],
            "member_ids": ["mem_" + "1" * 32],
            "valid_from": "2027-06-01",
            "valid_until": "2027-08-31",
        },
        "charge_slot_minutes": 30,
        "extras": [{"code": "projector", "name": "Projector", "price": EUR}],
        "tax_percent": "19",
        "prices_include_tax": True,
        "revenue_account": "8400",
    }
    rate = shop.made("/v1/resource-rates", sent)
    assert {name: rate[name] for name in sent} == sent
    assert rate["currency"] == "EUR"
    assert shop.owner.get(f"/v1/resource-rates/{rate['id']}").json == rate
    [message] = shop.messages("resource-rate-changed")
    assert message["prices"][1] == {"unit": "hour", "price": EUR, "when": "weekend"}
    assert message["extras"] == [{"code": "projector", "name": "Projector", "price": EUR}]
    assert message["conditions"]["valid_until"] == "2027-08-31"
    assert message["conditions"]["member_ids"] == ["11111111-1111-1111-1111-111111111111"]
    assert (message["tax_percent"], message["prices_include_tax"], message["charge_slot_minutes"]) == ("19", True, 30)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"prices": []}, "/prices"),
        ({"prices": [HOUR, HOUR]}, "/prices/1"),
        ({"prices": [{"unit": "minute", "price": EUR}]}, "/prices/0/unit"),
        ({"prices": [{"unit": "hour"}]}, "/prices/0/price"),
        ({"prices": [{**HOUR, "when": "night"}]}, "/prices/0/when"),
        ({"prices": [{"unit": "hour", "price": {"amount_minor": -1, "currency": "EUR"}}]}, "/prices/0/price"),
        ({"prices": [{"unit": "hour", "price": {"amount_minor": 1.5, "currency": "EUR"}}]}, "/prices/0/price"),
        ({"prices": [HOUR, {"unit": "day", "price": CHF}]}, "/prices/1/price"),
        ({"extras": [{"code": "a", "name": "A", "price": CHF}]}, "/extras/0/price"),
        ({"extras": [{"code": "a", "name": "A", "price": EUR}] * 2}, "/extras/1"),
        ({"resource_types": []}, "/resource_ids"),
        ({"resource_types": ["yacht"]}, "/resource_types/0"),
        ({"conditions": {"valid_from": "2027-02-02", "valid_until": "2027-02-01"}}, "/conditions/valid_until"),
        ({"conditions": {"valid_from": "2027-02-30"}}, "/conditions/valid_from"),
        ({"conditions": {"audience": "friends"}}, "/conditions/audience"),
        ({"conditions": {"dates": []}}, "/conditions/dates"),
        ({"charge_slot_minutes": 0}, "/charge_slot_minutes"),
        ({"charge_slot_minutes": 1441}, "/charge_slot_minutes"),
        ({"tax_percent": "101"}, "/tax_percent"),
        ({"tax_percent": 19}, "/tax_percent"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_bad_input_is_refused_with_a_pointer_and_changes_nothing(
    shop: Any, method: str, change: dict[str, Any], pointer: str
) -> None:
    rate = shop.rate(resource_types=["meeting_room"])
    body = {"name": "x", "resource_types": ["hot_desk"], "prices": [HOUR]} if method == "POST" else {}
    path = "/v1/resource-rates" if method == "POST" else f"/v1/resource-rates/{rate['id']}"
    refused = shop.owner.request(method, path, json={**body, **change})
    assert refused.status_code == 422, refused.json
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert shop.owner.get("/v1/resource-rates").json["items"] == [rate]


def test_another_currency_than_the_organisations_is_refused(open_shop: Any) -> None:
    """MON-1."""
    swiss = open_shop(currency="CHF")
    body = {"name": "x", "resource_types": ["hot_desk"]}
    refused = swiss.owner.post("/v1/resource-rates", {**body, "prices": [HOUR]})
    assert (refused.status_code, refused.json["code"]) == (422, "currency_mismatch")
    made = swiss.owner.post("/v1/resource-rates", {**body, "prices": [{"unit": "hour", "price": CHF}]})
    assert made.json["currency"] == "CHF"


def test_rates_are_found_by_resource_and_never_shown_to_members(shop: Any, open_shop: Any) -> None:
    room = shop.room()
    named = shop.rate(name="Named", resource_ids=[room["id"]])
    by_type = shop.rate(name="By type", resource_types=["meeting_room"])
    shop.rate(name="Desks", resource_types=["hot_desk"])
    found = shop.owner.get(f"/v1/resource-rates?resource_id={room['id']}").json["items"]
    assert [rate["id"] for rate in found] == [named["id"], by_type["id"]]
    assert shop.client("member").get("/v1/resource-rates").status_code == 403
    assert shop.client("accountant").get("/v1/resource-rates").status_code == 200
    stranger = open_shop().owner
    assert stranger.get(f"/v1/resource-rates/{named['id']}").status_code == 404
    assert stranger.get(f"/v1/resource-rates?resource_id={room['id']}").status_code == 404
    body = {"name": "x", "resource_ids": [room["id"]], "prices": [HOUR]}
    assert stranger.post("/v1/resource-rates", body).status_code == 404


def test_an_archived_rate_is_told_and_can_be_restored(shop: Any) -> None:
    rate = shop.rate(resource_types=["meeting_room"])
    path = f"/v1/resource-rates/{rate['id']}"
    assert shop.owner.patch(path, {"name": "Renamed"}).json["prices"] == rate["prices"]
    assert shop.owner.delete(path).status_code == 204
    assert shop.owner.patch(path, {"name": "x"}).status_code == 409
    assert shop.owner.post(f"{path}/restoration").json["archived_at"] is None
    told = [(m["version"], m["display_name"], m["archived"]) for m in shop.messages("resource-rate-changed")]
    assert told == [(1, "Rooms", False), (2, "Renamed", False), (3, "Renamed", True), (4, "Renamed", False)]
