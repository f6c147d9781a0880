"""The storefront's settings, its public catalogue, and the checklist's facts, on a real database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

EUR = {"amount_minor": 1500, "currency": "EUR"}


def slug(shop: Any) -> str:
    return f"org-{shop.organization_id.hex[-12:]}"


def test_settings_have_defaults_and_keep_what_is_changed(shop: Any) -> None:
    """GH-2."""
    path = "/v1/storefront-settings"
    fresh = shop.owner.get(path)
    assert (fresh.json["published"], fresh.json["headline"]) == (False, None)
    assert fresh.json["purchase_flow"] == {"guest": "pay_now", "member": "pay_later"}
    changed = shop.owner.patch(
        path,
        {"headline": "By the water", "brand_color": "#0b6e4f", "purchase_flow": {"guest": "approval"}},
        headers={"If-Match": fresh.headers["ETag"]},
    )
    assert changed.status_code == 200
    assert changed.json["purchase_flow"] == {"guest": "approval", "member": "pay_later"}
    stale = shop.owner.patch(path, {"headline": "x"}, headers={"If-Match": fresh.headers["ETag"]})
    assert stale.status_code == 412
    assert shop.owner.get(path).json == changed.json
    assert shop.client("member").get(path).status_code == 403
    assert shop.client("front_desk").patch(path, {"published": True}).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"published": "yes"}, "/published"),
        ({"brand_color": "red"}, "/brand_color"),
        ({"brand_color": "#0b6e4f\n"}, "/brand_color"),
        ({"terms_url": "javascript:alert(1)"}, "/terms_url"),
        ({"contact_email": "nobody"}, "/contact_email"),
        ({"purchase_flow": {"guest": "barter"}}, "/purchase_flow/guest"),
        ({"purchase_flow": {"staff": "pay_now"}}, "/purchase_flow/staff"),
        ({"theme": "dark"}, "/theme"),
    ],
)
def test_bad_settings_are_refused_with_a_pointer(shop: Any, change: dict[str, Any], pointer: str) -> None:
    refused = shop.owner.patch("/v1/storefront-settings", change)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert shop.owner.get("/v1/storefront-settings").headers["ETag"] == '"v0"'


def furnish(shop: Any) -> None:
    """Some of everything: what strangers may see is called Shown."""
    location_id = shop.location(name="Shown")
    old = shop.location(name="Archived location")
    shop.owner.delete(f"/v1/locations/{old}")
    shop.room(location_id, name="Shown", type="event_space", visibility="public", is_free=True)
    shop.room(location_id, name="Shown too", visibility="public")
    shop.room(location_id, name="For members")
    shop.room(location_id, name="No rate", type="custom", visibility="public")
    shop.room(location_id, name="Unpublished", visibility="public", published=False)
    shop.rate(name="Shown", resource_types=["meeting_room"])
    weekend = [{"unit": "hour", "price": EUR, "when": "weekend"}]
    shop.rate(name="Weekend", resource_types=["meeting_room"], prices=weekend)
    shop.rate(name="Insiders", resource_types=["meeting_room", "custom"], conditions={"audience": "members"})
    shop.rate(name="Past", resource_types=["meeting_room", "custom"], conditions={"valid_until": "2020-01-01"})
    shop.plan(name="Shown", revenue_account="8400")
    shop.plan(name="For members", visibility="members")
    shop.plan(name="Private", visibility="private")


def test_strangers_see_published_things_only(shop: Any, sign_in: Any, open_shop: Any) -> None:
    """GH-1."""
    furnish(shop)
    stranger, path = sign_in(shop.app, None), f"/v1/storefront/{slug(shop)}/catalog"
    assert stranger.get(path).status_code == 404
    assert shop.client("member").get(path).status_code == 404
    assert open_shop().owner.get(path).status_code == 404
    assert shop.client("front_desk").get(path).status_code == 200
    shop.owner.patch("/v1/storefront-settings", {"published": True, "headline": "By the water"})
    shown = stranger.get(path)
    assert shown.status_code == 200
    assert shown.json["organization"]["name"] == "Harbour Works"
    assert shown.json["storefront"]["headline"] == "By the water"
    assert [location["name"] for location in shown.json["locations"]] == ["Shown"]
    assert [(plan["name"], plan["kind"]) for plan in shown.json["plans"]] == [("Shown", "recurring")]
    assert [resource["name"] for resource in shown.json["resources"]] == ["Shown", "Shown too"]
    assert [rate["name"] for rate in shown.json["resources"][1]["rates"]] == ["Shown", "Weekend"]
    assert shown.json["resources"][0]["rates"] == []
    assert "8400" not in shown.text
    assert "problems" not in shown.text
    assert stranger.get("/v1/storefront/nobody/catalog").status_code == 404


def test_the_public_catalogue_takes_the_same_number_of_statements_for_any_size(shop: Any) -> None:
    furnish(shop)
    statements: list[str] = []

    @event.listens_for(shop.app.extensions["database"].engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    few = shop.owner.get(f"/v1/storefront/{slug(shop)}/catalog")
    counted, location_id = len(statements), few.json["locations"][0]["id"]
    for number in range(10):
        shop.room(location_id, name=f"Room {number}", visibility="public")
    statements.clear()
    many = shop.owner.get(f"/v1/storefront/{slug(shop)}/catalog")
    assert len(many.json["resources"]) == len(few.json["resources"]) + 10
    assert len(statements) == counted


def test_the_doctor_names_what_keeps_the_organisation_from_earning(shop: Any, open_shop: Any) -> None:
    """DOMAIN 0: the checklist names every leak."""
    empty = shop.owner.get("/v1/setup/catalog").json
    assert [problem["code"] for problem in empty["problems"]] == ["no_location", "no_plan", "no_resource"]
    assert empty["facts"]["storefront_published"] is False
    furnish(shop)
    shop.room(shop.location(name="Dock 2", tax_percent="19"), name="Silent", type="hot_desk")
    found = shop.owner.get("/v1/setup/catalog").json
    facts = found["facts"]
    assert (facts["locations"], facts["resources"], facts["rates"], facts["plans_recurring"]) == (2, 6, 4, 3)
    assert (facts["resources_listed"], facts["resources_on_storefront"]) == (4, 2)
    assert (facts["resources_without_rate"], facts["plans_without_tax"]) == (1, 3)
    assert [(p["code"], p["detail"].split(" has ")[0]) for p in found["problems"][:2]] == [
        ("resource_without_rate", "Silent"),
        ("resource_without_public_rate", "No rate"),
    ]
    assert [p["code"] for p in found["problems"][2:]] == ["plans_without_tax", "rates_without_tax"]
    assert all(p["href"].startswith("/v1/") for p in found["problems"])
    assert shop.client("member").get("/v1/setup/catalog").status_code == 403
    assert open_shop().owner.get("/v1/setup/catalog").json["facts"]["locations"] == 0


def test_a_public_catalogue_is_unmodified_until_something_on_it_changes(shop: Any, sign_in: Any) -> None:
    furnish(shop)
    shop.owner.patch("/v1/storefront-settings", {"published": True})
    stranger, path = sign_in(shop.app, None), f"/v1/storefront/{slug(shop)}/catalog"
    location_id = stranger.get(path).json["locations"][0]["id"]
    changes = [
        lambda: shop.owner.patch("/v1/storefront-settings", {"headline": "By the water"}),
        lambda: shop.owner.patch(f"/v1/locations/{location_id}", {"name": "Shown again"}),
        lambda: shop.room(location_id, name="Shown as well", type="event_space", visibility="public", is_free=True),
        lambda: shop.rate(name="Evenings", resource_types=["meeting_room"]),
    ]
    for change in changes:
        etag = stranger.get(path).headers["ETag"]
        same = stranger.get(path, headers={"If-None-Match": etag})
        assert (same.status_code, same.text) == (304, "")
        change()
        assert stranger.get(path, headers={"If-None-Match": etag}).status_code == 200
    shop.owner.patch("/v1/storefront-settings", {"published": False})
    assert stranger.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_the_sites_that_may_embed_the_storefront_are_origins(shop: Any) -> None:
    path = "/v1/storefront-settings"
    assert shop.owner.get(path).json["embed_origins"] == []
    fine = ["https://www.harbour.example", "http://localhost:8080", "https://*.harbour.example"]
    assert shop.owner.patch(path, {"embed_origins": fine}).json["embed_origins"] == fine
    for wrong in ("*", "https://harbour.example/page", "https://a.example; script-src *", "harbour.example"):
        refused = shop.owner.patch(path, {"embed_origins": [wrong]})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/embed_origins/0")
