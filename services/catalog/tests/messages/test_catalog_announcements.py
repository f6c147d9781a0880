"""Every change is told once, with the aggregate's version, to the right organisation; a refusal tells nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from catalog.messages.publishes import plan_changed, promo_code_changed, resource_changed, resource_rate_changed
from catalog.models import Plan, PromoCode, Resource, ResourceRate
from catalog.service import SERVICE
from common.db.plumbing import outbox_table
from contracts.catalog import LocationChanged, PlanChanged, PromoCodeChanged, ResourceChanged, ResourceRateChanged
from contracts.subscriptions import SUBSCRIPTIONS

EUR = {"amount_minor": 500, "currency": "EUR"}
CASES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "/v1/locations": (LocationChanged, {"name": "Dock 1"}),
    "/v1/plans": (PlanChanged, {"name": "Flex", "kind": "recurring", "price": EUR}),
    "/v1/resource-rates": (
        ResourceRateChanged,
        {"name": "Rooms", "resource_types": ["custom"], "prices": [{"unit": "hour", "price": EUR}]},
    ),
    "/v1/promo-codes": (PromoCodeChanged, {"code": "SPRING", "percent": "20"}),
    "/v1/resources": (ResourceChanged, {"name": "Blue Room", "type": "custom"}),
}


@pytest.mark.parametrize("path", CASES)
def test_each_change_is_told_with_the_rows_version(shop: Any, path: str) -> None:
    kind, body = CASES[path]
    if path == "/v1/resources":
        body = {**body, "location_id": shop.location()}
    made = shop.made(path, body)
    one = f"{path}/{made['id']}"
    field = "code" if "code" in body else "name"
    assert shop.owner.patch(one, {field: "Renamed"}).status_code == 200
    assert shop.owner.delete(one).status_code == 204
    assert shop.owner.post(f"{one}/restoration").status_code == 200
    assert shop.owner.patch(one, {"nonsense": 1}).status_code == 422
    table = outbox_table
    with shop.app.extensions["database"].system_session() as session:
        rows = session.execute(
            select(table)
            .where(table.c.organization_id == shop.organization_id, table.c.type == kind.name)
            .order_by(table.c.seq)
        ).all()
    messages = [kind.decode(row.body) for row in rows]
    assert [message.version for message in messages] == [1, 2, 3, 4]
    assert [row.aggregate_version for row in rows] == [1, 2, 3, 4]
    assert [message.archived for message in messages] == [False, False, True, False]
    assert {row.routing_key for row in rows} == {kind.routing_key()}
    assert {row.aggregate_id.hex for row in rows} == {made["id"].rpartition("_")[2]}


def test_what_is_told_after_a_request_is_what_is_stored(shop: Any) -> None:
    """A resend from rows read back must say the same as the first message."""
    room = shop.room(cancellation_policy={"steps": [{"hours_before": 24, "percent": "50"}]})
    shop.rate(resource_ids=[room["id"]], tax_percent="7.5", conditions={"valid_from": "2027-01-01"})
    shop.plan(credits_hours="2.5")
    shop.made("/v1/promo-codes", {"code": "SPRING", "percent": "12.5", "valid_from": "2027-01-01"})
    publishes: list[tuple[Any, Any]] = [
        (Resource, resource_changed),
        (ResourceRate, resource_rate_changed),
        (Plan, plan_changed),
        (PromoCode, promo_code_changed),
    ]
    with shop.app.extensions["database"].session(shop.organization_id) as session:
        for model, publish in publishes:
            again = publish(session.scalars(select(model)).one())
            [first] = shop.messages(again.name)
            assert type(again).decode(again.encode()) == again
            assert {k: v for k, v in first.items() if v is not None}.keys() <= set(again.__struct_fields__)
            assert again == _decoded(type(again), first)


def _decoded(kind: type[Any], body: dict[str, Any]) -> Any:
    import msgspec

    return kind.decode(msgspec.json.encode(body))


def test_the_catalog_listens_to_what_the_map_of_the_system_says() -> None:
    assert SERVICE.handlers.routing_keys() == sorted(m.routing_key() for m in SUBSCRIPTIONS["catalog"])
