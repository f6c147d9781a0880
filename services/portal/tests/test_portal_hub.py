"""The storefront: anybody looks, chooses, buys, pays; scripts are not needed."""

from __future__ import annotations

from typing import Any

import pytest

ROOM = "/hub/harbour/rooms/res_1?date=2027-02-15"
TIMES = "resource_id=res_1&start=2027-02-15T08:00:00Z&end=2027-02-15T09:00:00Z"
BUYER = {"customer__name": "Stranger", "customer__email": "stranger@example.com"}


@pytest.mark.parametrize(
    "path",
    [
        "/hub/harbour/",
        ROOM,
        "/hub/harbour/checkout?plan_id=pln_1",
        "/hub/harbour/checkout?plan_id=pln_2",
        f"/hub/harbour/checkout?{TIMES}",
        "/hub/harbour/checkouts/chk_1",
    ],
)
def test_storefront_page_is_open_to_strangers(visitor: Any, gateway: Any, path: str) -> None:
    page = visitor.read(path)
    assert "Harbour Works" in page
    assert all("Authorization" not in asked.headers for asked in gateway.asked)
    assert len(gateway.asked) <= 4


def test_storefront_shows_prices_and_is_readable_by_search_engines(visitor: Any) -> None:
    page = visitor.read("/hub/harbour/")
    assert "€300.00" in page
    assert "application/ld+json" in page
    assert "Work by the water" in page


def test_a_chosen_time_leads_to_the_details(visitor: Any) -> None:
    answer = visitor.send(ROOM, {"start": "2027-02-15T08:00:00Z", "minutes": "60"})
    assert answer.headers["Location"] == f"/hub/harbour/checkout?{TIMES}"


def test_buying_makes_a_checkout_of_what_stands_in_the_address(visitor: Any, gateway: Any) -> None:
    answer = visitor.send(f"/hub/harbour/checkout?{TIMES}", {**BUYER, "promo_code": "WELCOME"})
    assert answer.headers["Location"] == "/hub/harbour/checkouts/chk_1"
    asked = gateway.last("POST", "/v1/storefront/harbour/checkouts")
    assert asked.body == {
        "items": [
            {
                "kind": "booking",
                "resource_id": "res_1",
                "start": "2027-02-15T08:00:00Z",
                "end": "2027-02-15T09:00:00Z",
            }
        ],
        "customer": {"name": "Stranger", "email": "stranger@example.com"},
        "promo_code": "WELCOME",
    }
    assert asked.headers["Idempotency-Key"]


def test_a_refused_promo_code_stands_beside_its_field(visitor: Any, gateway: Any) -> None:
    path = "/v1/storefront/harbour/checkouts"
    gateway.refuse("POST", path, 422, "promo_code_unknown", "look again", promo_code="there is no such code")
    answer = visitor.send("/hub/harbour/checkout?plan_id=pln_2", {**BUYER, "promo_code": "NO"})
    page = answer.get_data(as_text=True)
    assert 'id="promo_code-fault"' in page
    assert "There is no such code" in page


def test_paying_sends_the_sandbox_token(visitor: Any, gateway: Any) -> None:
    visitor.send("/hub/harbour/checkouts/chk_1", {"token": "sandbox_ok"})
    assert gateway.last("POST", "/v1/storefront/harbour/checkouts/chk_1/payment").body == {"token": "sandbox_ok"}


@pytest.mark.parametrize(("state", "words"), [("confirmed", "Thank you"), ("expired", "The time ran out")])
def test_the_end_of_a_checkout_is_told(visitor: Any, gateway: Any, state: str, words: str) -> None:
    import portal_house

    path = "/v1/storefront/harbour/checkouts/chk_1"
    gateway.answers[("GET", path)] = (200, {**portal_house.CHECKOUT, "state": state})
    assert words in visitor.read("/hub/harbour/checkouts/chk_1")


def test_an_unknown_storefront_is_a_kind_404(visitor: Any) -> None:
    assert visitor.client.get("/hub/nowhere/").status_code == 404
