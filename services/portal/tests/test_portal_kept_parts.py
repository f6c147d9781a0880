"""What a form does not show, or no longer offers, stays as it was when the form is saved."""

from __future__ import annotations

from typing import Any

PROMO = "/v1/promo-codes/pro_1"
ROOM_SCOPE = {"kinds": ["booking"], "resource_ids": ["res_1"], "resource_types": ["meeting_room"]}


def give(gateway: Any, path: str, found: dict[str, Any]) -> None:
    gateway.answers[("GET", path)] = (200, found)


def promo(gateway: Any, **scope: list[str]) -> None:
    give(gateway, PROMO, {"id": "pro_1", "code": "FRIENDS", "percent": "20", "scope": scope, "max_uses": None})


def test_a_promo_code_of_one_room_stays_one_of_that_room(owner: Any, gateway: Any) -> None:
    promo(gateway, **ROOM_SCOPE)
    page = owner.read("/admin/promo-codes/pro_1")
    assert page.count("checked") >= 3
    form = {"code": "FRIENDS", "way": "percent", "percent": "25", "scope-kinds": "booking"}
    form |= {f"scope__{name}": ids[0] for name, ids in ROOM_SCOPE.items()}
    assert owner.send("/admin/promo-codes/pro_1", form).status_code == 302
    assert gateway.last("PATCH", PROMO).body["scope"] == ROOM_SCOPE


def test_what_is_archived_and_no_longer_offered_stays_in_a_promo_codes_scope(owner: Any, gateway: Any) -> None:
    promo(gateway, plan_ids=["pln_archived"], resource_ids=["res_archived"])
    form = {"code": "FRIENDS", "way": "percent", "percent": "25", "scope__plan_ids": "pln_2"}
    assert owner.send("/admin/promo-codes/pro_1", form).status_code == 302
    scope = gateway.last("PATCH", PROMO).body["scope"]
    assert scope == {"plan_ids": ["pln_archived", "pln_2"], "resource_ids": ["res_archived"]}


def test_a_promo_code_whose_limits_are_taken_off_is_good_for_everything(owner: Any, gateway: Any) -> None:
    promo(gateway, **ROOM_SCOPE)
    form = {"code": "FRIENDS", "way": "percent", "percent": "25"}
    assert owner.send("/admin/promo-codes/pro_1", form).status_code == 302
    assert gateway.last("PATCH", PROMO).body["scope"] == {}


def test_bank_and_address_keep_what_the_organisations_form_does_not_show(owner: Any, gateway: Any) -> None:
    found = gateway._answer("GET", "/v1/organization")[1]
    parts = {"address": {"street": "Kai 1", "region": "HH"}, "bank": {"iban": "DE02", "account": "7"}}
    give(gateway, "/v1/organization", found | parts)
    form = {"name": "Harbour Works", "country": "DE", "timezone": "Europe/Berlin", "language": "en"}
    owner.send("/admin/settings/organization", {**form, "address__street": "Kai 2", "bank__iban": "DE03"})
    body = gateway.last("PATCH", "/v1/organization").body
    assert body["address"] == {"street": "Kai 2", "region": "HH"}
    assert body["bank"] == {"iban": "DE03", "account": "7"}


def test_a_location_keeps_what_its_form_does_not_show_of_the_address(owner: Any, gateway: Any) -> None:
    found = gateway._answer("GET", "/v1/locations/loc_1")[1]
    give(gateway, "/v1/locations/loc_1", found | {"address": {"city": "Hamburg", "region": "HH"}})
    owner.send("/admin/locations/loc_1", {"name": "Dock 1", "timezone": "Europe/Berlin", "address__city": "Altona"})
    assert gateway.last("PATCH", "/v1/locations/loc_1").body["address"] == {"city": "Altona", "region": "HH"}
