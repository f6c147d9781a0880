"""Races on two real connections: the database decides."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from common.ids import decode_id


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Answers of calls that start together, each in a thread of its own."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_the_same_promo_code_twice_at_once_is_made_once(shop: Any) -> None:
    """GH-3."""
    spellings = ["spring20", "SPRING20", "Spring20", "sPrInG20", "SPRING20", "spring20"]
    clients = [shop.client("owner", sub=f"usr_{n}") for n in range(len(spellings))]
    answers = at_once(
        *(
            lambda client=client, code=code: client.post("/v1/promo-codes", {"code": code, "percent": "20"})
            for client, code in zip(clients, spellings, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert {a.json["code"] for a in answers if a.status_code == 409} == {"promo_code_taken"}
    assert len(shop.owner.get("/v1/promo-codes").json["items"]) == 1
    assert len(shop.messages("promo-code-changed")) == 1


def test_two_links_at_once_never_close_a_circle(shop: Any) -> None:
    location_id = shop.location()
    for attempt in range(5):
        a, b = (shop.room(location_id, name=f"{name}{attempt}")["id"] for name in "ab")
        answers = at_once(
            lambda a=a, b=b: shop.client("owner").patch(f"/v1/resources/{a}", {"parent_ids": [b]}),
            lambda a=a, b=b: shop.client("owner").patch(f"/v1/resources/{b}", {"parent_ids": [a]}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]


def test_a_location_is_not_archived_while_a_resource_moves_in(shop: Any) -> None:
    for _ in range(5):
        location_id = shop.location()
        body = {"name": "Blue Room", "type": "meeting_room", "location_id": location_id}
        made, archived = at_once(
            lambda body=body: shop.client("owner").post("/v1/resources", body),
            lambda location_id=location_id: shop.client("owner").delete(f"/v1/locations/{location_id}"),
        )
        assert (made.status_code, archived.status_code) in {(201, 409), (409, 204)}


def test_first_changes_of_the_storefront_at_once_make_one_row(shop: Any) -> None:
    answers = at_once(
        lambda: shop.client("owner").patch("/v1/storefront-settings", {"headline": "A"}),
        lambda: shop.client("owner").patch("/v1/storefront-settings", {"description": "B"}),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    settings = shop.owner.get("/v1/storefront-settings").json
    assert (settings["headline"], settings["description"]) == ("A", "B")


def test_changes_of_one_plan_at_once_are_all_kept_and_numbered(shop: Any) -> None:
    plan = shop.plan()
    path = f"/v1/plans/{plan['id']}"
    changes = [{"name": "A"}, {"description": "B"}, {"passes": 3}, {"trial_days": 7}]
    at_once(*(lambda change=change: shop.client("owner").patch(path, change) for change in changes))
    now = shop.owner.get(path).json
    assert (now["name"], now["description"], now["passes"], now["trial_days"]) == ("A", "B", 3, 7)
    told = shop.messages("plan-changed")
    assert [message["version"] for message in told] == [1, 2, 3, 4, 5]
    assert told[-1]["plan_id"].replace("-", "") == decode_id("pln", plan["id"]).hex
