"""Many at once: one slot, one key."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from client import GatewayClient
from story import booking_body, furnish


def test_fifty_parallel_bookings_of_one_slot_make_one(client: GatewayClient) -> None:
    """BOK-1: one 201, 49 times 409."""
    house = furnish(client)
    body = booking_body(house)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: house.api.send("POST", "/v1/bookings", body).status, range(50)))
    assert Counter(answers) == {201: 1, 409: 49}
    assert len(house.api.get("/v1/bookings")["items"]) == 1


def test_twenty_parallel_posts_with_one_key_have_one_effect(client: GatewayClient) -> None:
    house = furnish(client)
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: house.api.send("POST", "/v1/bookings", booking_body(house), headers), range(20))
        )
    assert {answer.status for answer in answers} <= {201, 409}
    made = {answer.json["id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    assert all(a.json["code"] == "idempotency_key_in_use" for a in answers if a.status == 409)
    assert house.api.send("POST", "/v1/bookings", booking_body(house), headers).json["id"] in made
