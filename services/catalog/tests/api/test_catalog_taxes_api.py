"""Parallel taxes on locations, rates and plans: sent, shown, announced; one tax by its short form goes on (TAX-2)."""

from __future__ import annotations

from typing import Any

import pytest

GST = {"name": "GST", "percent": "5", "category": "S"}
QST = {"name": "QST", "percent": "9.975", "category": "S"}

THINGS = {"locations": "location-changed", "resource-rates": "resource-rate-changed", "plans": "plan-changed"}


def make(shop: Any, kind: str, **values: Any) -> Any:
    """A location, rate or plan by the owner; the answer."""
    money = {"amount_minor": 1500, "currency": "EUR"}
    bodies: dict[str, dict[str, Any]] = {
        "locations": {"name": "Dock 1"},
        "resource-rates": {
            "name": "Rooms",
            "resource_types": ["meeting_room"],
            "prices": [{"unit": "hour", "price": money}],
        },
        "plans": {"name": "Flex desk", "kind": "recurring", "price": money},
    }
    return shop.owner.post(f"/v1/{kind}", {**bodies[kind], **values})


def taxes_of(thing: dict[str, Any]) -> tuple[Any, Any]:
    return thing["taxes"], thing["tax_percent"]


@pytest.mark.parametrize("kind", THINGS)
def test_parallel_taxes_are_shown_and_announced_with_their_sum(shop: Any, kind: str) -> None:
    made = make(shop, kind, taxes=[GST, QST]).json
    assert taxes_of(made) == ([GST, QST], "14.975")
    assert taxes_of(shop.owner.get(f"/v1/{kind}/{made['id']}").json) == ([GST, QST], "14.975")
    (told,) = shop.messages(THINGS[kind])
    assert taxes_of(told) == ([GST, QST], "14.975")


@pytest.mark.parametrize("kind", THINGS)
def test_the_short_form_and_parallel_taxes_take_each_others_place(shop: Any, kind: str) -> None:
    made = make(shop, kind, tax_percent="19").json
    path = f"/v1/{kind}/{made['id']}"
    assert taxes_of(made) == (None, "19")
    assert taxes_of(shop.owner.patch(path, {"taxes": [GST, QST]}).json) == ([GST, QST], "14.975")
    same = shop.owner.patch(path, {"tax_percent": "14.975", "name": "Another"}).json
    assert (*taxes_of(same), same["name"]) == ([GST, QST], "14.975", "Another")
    assert taxes_of(shop.owner.patch(path, {"tax_percent": "7"}).json) == (None, "7")
    shop.owner.patch(path, {"taxes": [GST]})
    assert taxes_of(shop.owner.patch(path, {"taxes": None}).json) == (None, None)
    assert [taxes_of(told)[0] for told in shop.messages(THINGS[kind])] == [
        [], [GST, QST], [GST, QST], [], [GST], [],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", THINGS)
@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"taxes": []}, "/taxes"),
        ({"taxes": [GST, GST]}, "/taxes"),
        ({"taxes": [{**GST, "percent": "101"}]}, "/taxes/0/percent"),
        ({"taxes": [{**GST, "percent": 5}]}, "/taxes/0/percent"),
        ({"taxes": [{**GST, "category": "X"}]}, "/taxes/0/category"),
        ({"taxes": [{**GST, "category": "AE"}]}, "/taxes"),
        ({"taxes": [{"name": f"T{n}", "percent": "1"} for n in range(6)]}, "/taxes"),
        ({"taxes": [GST, QST], "tax_percent": "14.975"}, "/taxes"),
    ],
)
def test_taxes_that_do_not_fit_change_nothing(shop: Any, kind: str, values: dict[str, Any], pointer: str) -> None:
    refused = make(shop, kind, **values)
    assert (refused.status_code, [error["pointer"] for error in refused.json["errors"]]) == (422, [pointer])
    assert shop.messages(THINGS[kind]) == []


def test_parallel_taxes_take_the_place_of_a_plans_category(shop: Any) -> None:
    made = make(shop, "plans", tax_percent="0", tax_category="E").json
    changed = shop.owner.patch(f"/v1/plans/{made['id']}", {"taxes": [GST]}).json
    assert (changed["tax_category"], changed["tax_percent"]) == (None, "5")
    assert make(shop, "plans", taxes=[GST], tax_category="S").status_code == 422
