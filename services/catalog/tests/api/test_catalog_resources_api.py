"""``/v1/resources`` through the app, on a real database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from common.ids import decode_id

QUOTA = {"limit": "10", "unit": "hours", "per": "week"}


def codes(resource: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in resource["problems"]]


def test_the_storys_room_is_made_before_its_rate_and_listed_once_it_has_one(shop: Any) -> None:
    """DOMAIN 0: a resource without a rate cannot be listed."""
    location_id = shop.location()
    body = {"name": "Blue Room", "type": "meeting_room", "location_id": location_id, "capacity": 1}
    room = shop.made("/v1/resources", body)
    assert room["id"].startswith("res_")
    assert (room["published"], room["listed"], codes(room)) == (True, False, ["resource_without_rate"])
    rate = shop.made(
        "/v1/resource-rates",
        {
            "name": "Rooms",
            "resource_ids": [room["id"]],
            "prices": [
                {"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}},
                {"unit": "day", "price": {"amount_minor": 5000, "currency": "EUR"}},
            ],
        },
    )
    assert [price["when"] for price in rate["prices"]] == ["any", "any"]
    now = shop.owner.get(f"/v1/resources/{room['id']}").json
    assert (now["listed"], now["problems"]) == (True, [])
    assert shop.owner.delete(f"/v1/resource-rates/{rate['id']}").status_code == 204
    assert codes(shop.owner.get(f"/v1/resources/{room['id']}").json) == ["resource_without_rate"]


def test_publishing_by_name_without_a_rate_is_refused_until_there_is_one_or_it_is_free(shop: Any) -> None:
    room = shop.room(published=False)
    path = f"/v1/resources/{room['id']}"
    refused = shop.owner.patch(path, {"published": True})
    assert (refused.status_code, refused.json["code"]) == (422, "resource_without_rate")
    assert refused.json["errors"][0]["pointer"] == "/published"
    assert shop.owner.get(path).json["published"] is False
    assert shop.owner.patch(path, {"published": True, "is_free": True}).json["listed"] is True
    body = {"name": "Red", "type": "meeting_room", "location_id": room["location_id"], "published": True}
    assert shop.owner.post("/v1/resources", body).status_code == 422
    shop.rate(resource_types=["meeting_room"])
    assert shop.owner.post("/v1/resources", body).json["listed"] is True
    assert len(shop.owner.get("/v1/resources").json["items"]) == 2


@pytest.mark.parametrize(
    ("rate", "visibility", "found"),
    [
        ({"conditions": {"audience": "members"}}, "members", []),
        ({"conditions": {"audience": "members"}}, "public", ["resource_without_public_rate"]),
        ({"conditions": {"audience": "public"}}, "public", []),
        ({"conditions": {"valid_until": "2020-01-01"}}, "members", ["resource_without_rate"]),
        ({"conditions": {"valid_from": "2090-01-01"}}, "members", []),
        ({"prices": [{"unit": "hour", "price": {"amount_minor": 1, "currency": "EUR"}, "when": "weekend"}]}, "members",
         ["resource_without_rate"]),
        ({"resource_types": ["hot_desk"]}, "members", ["resource_without_rate"]),
    ],
)  # fmt: skip
def test_only_a_rate_that_prices_the_customer_at_any_time_counts(
    shop: Any, rate: dict[str, Any], visibility: str, found: list[str]
) -> None:
    room = shop.room(visibility=visibility)
    shop.rate(**{"resource_types": ["meeting_room"], **rate})
    assert codes(shop.owner.get(f"/v1/resources/{room['id']}").json) == found


def test_every_field_comes_back_as_it_was_sent_also_after_reading_it_again(shop: Any) -> None:
    plan = shop.plan()
    floor = shop.room(name="Floor")
    sent = {
        "name": "Green Room",
        "description": "By the water",
        "type": "event_space",
        "location_id": floor["location_id"],
        "capacity": 3,
        "seats": 12,
        "parent_ids": [floor["id"]],
        "amenities": ["screen", "whiteboard"],
        "visibility": "plans",
        "plan_ids": [plan["id"]],
        "is_free": True,
        "published": True,
        "booking_policy": {
            "opening_hours": {"mon": [["08:00", "24:00"]]},
            "min_minutes": 30,
            "max_minutes": 480,
            "min_notice_minutes": 60,
            "furthest_days_ahead": 90,
            "buffer_before_minutes": 5,
            "buffer_after_minutes": 15,
            "approval": True,
            "check_in_minutes": 15,
            "recurring_allowed": False,
            "show_names": True,
            "quotas": [
                {"limit": "10.5", "unit": "hours", "per": "month"},
                {"limit": "2", "unit": "bookings", "per": "week"},
            ],
            "who": "plans",
            "plan_ids": [plan["id"]],
        },
        "cancellation_policy": {"steps": [{"hours_before": 24, "percent": "50"}], "no_show_percent": "100"},
    }
    room = shop.made("/v1/resources", sent)
    assert {name: room[name] for name in sent} == sent
    assert {**shop.owner.get(f"/v1/resources/{room['id']}").json, "pictures": []} == room
    [message] = [m for m in shop.messages("resource-changed") if m["display_name"] == "Green Room"]
    plans = {"plan_ids": [str(decode_id("pln", plan["id"]))]}
    assert message["booking_policy"] == sent["booking_policy"] | plans, "one name for each rule"
    assert message["cancellation_policy"]["steps"] == [{"hours_before": 24, "percent": "50"}]
    assert message["parent_ids"] == [str(decode_id("res", floor["id"]))]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "  "}, "/name"),
        ({"name": None}, "/name"),
        ({"type": "yacht"}, "/type"),
        ({"capacity": 0}, "/capacity"),
        ({"capacity": 1.5}, "/capacity"),
        ({"capacity": "2"}, "/capacity"),
        ({"capacity": True}, "/capacity"),
        ({"is_free": "yes"}, "/is_free"),
        ({"is_free": 1}, "/is_free"),
        ({"parent_ids": ["res_1"]}, "/parent_ids/0"),
        ({"amenities": ["screen", "screen"]}, "/amenities"),
        ({"amenities": "screen"}, "/amenities"),
        ({"visibility": "plans"}, "/plan_ids"),
        ({"plan_ids": ["pln_" + "0" * 32]}, "/plan_ids"),
        ({"visibility": "friends"}, "/visibility"),
        ({"organization_id": "org_" + "0" * 32}, "/organization_id"),
        ({"booking_policy": {"min_minutes": 60, "max_minutes": 30}}, "/booking_policy/max_minutes"),
        ({"booking_policy": {"buffer_after_minutes": -1}}, "/booking_policy/buffer_after_minutes"),
        ({"booking_policy": {"quotas": [{**QUOTA, "per": "day"}]}}, "/booking_policy/quotas/0/per"),
        ({"booking_policy": {"quotas": [QUOTA, {**QUOTA, "limit": 1}]}}, "/booking_policy/quotas/1/limit"),
        ({"booking_policy": {"quotas": [{**QUOTA, "unit": "days"}]}}, "/booking_policy/quotas/0/unit"),
        ({"booking_policy": {"quotas": [{"unit": "hours", "per": "week"}]}}, "/booking_policy/quotas/0/limit"),
        ({"booking_policy": {"quota": QUOTA}}, "/booking_policy/quota"),
        ({"booking_policy": {"max_ahead_days": 90}}, "/booking_policy/max_ahead_days"),
        ({"booking_policy": {"who": "plans"}}, "/booking_policy/plan_ids"),
        ({"booking_policy": {"opening_hours": {"mon": [["9", "10"]]}}}, "/booking_policy/opening_hours"),
        ({"booking_policy": {"lunch": True}}, "/booking_policy/lunch"),
        ({"booking_policy": None}, "/booking_policy"),
        ({"cancellation_policy": {"steps": [{"hours_before": 24, "percent": "101"}]}},
         "/cancellation_policy/steps/0/percent"),
        ({"cancellation_policy": {"steps": [{"hours_before": 24}]}}, "/cancellation_policy/steps/0/percent"),
        ({"cancellation_policy": {"steps": [{"hours_before": 1, "percent": "1"}] * 2}}, "/cancellation_policy/steps"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_bad_input_is_refused_with_a_pointer_and_changes_nothing(
    shop: Any, method: str, change: dict[str, Any], pointer: str
) -> None:
    room = shop.room()
    body = {"name": "Other", "type": "hot_desk", "location_id": room["location_id"]}
    path = "/v1/resources" if method == "POST" else f"/v1/resources/{room['id']}"
    refused = shop.owner.request(method, path, json={**(body if method == "POST" else {}), **change})
    assert refused.status_code == 422, refused.json
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert shop.owner.get("/v1/resources").json["items"] == [room]


def test_things_named_that_do_not_exist_or_belong_to_others_are_not_found(shop: Any, open_shop: Any) -> None:
    room, other = shop.room(), open_shop()
    foreign_room, foreign_plan = other.room(), other.plan()
    for change in (
        {"location_id": foreign_room["location_id"]},
        {"parent_ids": [foreign_room["id"]]},
        {"visibility": "plans", "plan_ids": [foreign_plan["id"]]},
        {"booking_policy": {"who": "plans", "plan_ids": [foreign_plan["id"]]}},
    ):
        assert shop.owner.patch(f"/v1/resources/{room['id']}", change).status_code == 404, change
    path = f"/v1/resources/{room['id']}"
    for answer in (
        other.owner.get(path),
        other.owner.patch(path, {"name": "Mine"}),
        other.owner.delete(path),
        other.owner.post(f"{path}/restoration"),
        other.owner.get("/v1/resources/res_nonsense"),
    ):
        assert answer.status_code == 404
    assert shop.owner.get(path).json == room
    assert other.owner.get(f"/v1/resources?location_id={room['location_id']}").json["items"] == []


def test_links_never_form_a_circle_and_stay_within_a_location(shop: Any) -> None:
    location_id = shop.location()
    a, b, c = (shop.room(location_id, name=name)["id"] for name in "abc")
    assert shop.owner.patch(f"/v1/resources/{b}", {"parent_ids": [a]}).status_code == 200
    assert shop.owner.patch(f"/v1/resources/{c}", {"parent_ids": [b]}).status_code == 200
    for parents in ([c], [a], [b]):
        refused = shop.owner.patch(f"/v1/resources/{a}", {"parent_ids": parents})
        assert (refused.status_code, refused.json["code"]) == (422, "parent_cycle")
    far = shop.room(shop.location(name="Dock 2"))
    refused = shop.owner.patch(f"/v1/resources/{far['id']}", {"parent_ids": [a]})
    assert (refused.status_code, refused.json["code"]) == (422, "parent_elsewhere")
    moved = shop.owner.patch(f"/v1/resources/{a}", {"location_id": far["location_id"]})
    assert (moved.status_code, moved.json["code"]) == (422, "parent_elsewhere")


def test_members_see_only_what_is_on_sale_and_change_nothing(shop: Any) -> None:
    location_id = shop.location()
    free = shop.room(location_id, name="Free", is_free=True)
    hidden = [
        shop.room(location_id, name="No rate"),
        shop.room(location_id, name="Unpublished", is_free=True, published=False),
        shop.room(location_id, name="Archived", is_free=True),
    ]
    assert shop.owner.delete(f"/v1/resources/{hidden[-1]['id']}").status_code == 204
    member = shop.client("member")
    for query in ("", "?archived=true", "?listed=false"):
        names = [item["name"] for item in member.get(f"/v1/resources{query}").json["items"]]
        assert names == ([] if "listed" in query else ["Free"])
    assert member.get(f"/v1/resources/{free['id']}").status_code == 200
    assert {member.get(f"/v1/resources/{room['id']}").status_code for room in hidden} == {404}
    for role in ("member", "front_desk", "accountant"):
        client = shop.client(role)
        assert client.post("/v1/resources", {}).status_code == 403
        assert client.patch(f"/v1/resources/{free['id']}", {"name": "x"}).status_code == 403
        assert client.delete(f"/v1/resources/{free['id']}").status_code == 403
    assert shop.client("front_desk").get(f"/v1/resources/{hidden[0]['id']}").status_code == 200


def test_staff_of_one_location_works_there_only(shop: Any) -> None:
    """ACC-1."""
    here, there = shop.room(shop.location()), shop.room(shop.location(name="Dock 2"))
    mine = str(UUID(hex=here["location_id"].removeprefix("loc_")))
    manager = shop.client("admin", locations=[mine])
    assert [item["id"] for item in manager.get("/v1/resources").json["items"]] == [here["id"]]
    assert manager.get(f"/v1/resources/{there['id']}").status_code == 404
    assert manager.patch(f"/v1/resources/{there['id']}", {"name": "x"}).status_code == 404
    assert manager.patch(f"/v1/resources/{here['id']}", {"location_id": there["location_id"]}).status_code == 404
    assert manager.patch(f"/v1/resources/{here['id']}", {"name": "x"}).status_code == 200
    day_pass = {"name": "x", "kind": "one_off", "price": {"amount_minor": 1, "currency": "EUR"}}
    assert manager.post("/v1/plans", day_pass).status_code == 404
    assert shop.owner.get("/v1/plans").json["items"] == []


def test_archived_things_are_restored_before_they_change(shop: Any) -> None:
    room = shop.room(is_free=True)
    path = f"/v1/resources/{room['id']}"
    assert shop.owner.delete(path).status_code == 204
    assert shop.owner.delete(path).status_code == 204
    assert [item["id"] for item in shop.owner.get("/v1/resources?archived=true").json["items"]] == [room["id"]]
    refused = shop.owner.patch(path, {"name": "x"})
    assert (refused.status_code, refused.json["code"]) == (409, "archived")
    restored = shop.owner.post(f"{path}/restoration")
    assert (restored.status_code, restored.json["archived_at"], restored.json["listed"]) == (200, None, True)
    states = [(m["version"], m["archived"]) for m in shop.messages("resource-changed")]
    assert states == [(1, False), (2, True), (3, False)]


def test_a_location_in_use_is_not_archived(shop: Any) -> None:
    room = shop.room()
    path = f"/v1/locations/{room['location_id']}"
    refused = shop.owner.delete(path)
    assert (refused.status_code, refused.json["code"]) == (409, "location_in_use")
    shop.owner.delete(f"/v1/resources/{room['id']}")
    assert shop.owner.delete(path).status_code == 204
    again = shop.owner.post("/v1/resources", {"name": "x", "type": "custom", "location_id": room["location_id"]})
    assert (again.status_code, again.json["code"]) == (409, "archived")
    assert shop.owner.post(f"/v1/resources/{room['id']}/restoration").status_code == 409
    assert shop.client("member").get(path).status_code == 404


def test_a_stale_etag_is_refused_for_change_and_archive(shop: Any) -> None:
    made = shop.owner.post("/v1/resources", {"name": "A", "type": "custom", "location_id": shop.location()})
    path, old = f"/v1/resources/{made.json['id']}", {"If-Match": made.headers["ETag"]}
    assert shop.owner.patch(path, {"name": "B"}, headers=old).status_code == 200
    assert shop.owner.patch(path, {"name": "C"}, headers=old).status_code == 412
    assert shop.owner.delete(path, headers=old).status_code == 412
    assert shop.owner.get(path).json["name"] == "B"
