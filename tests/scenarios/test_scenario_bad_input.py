"""Bad input anywhere in the story: a 4xx problem, and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest
from client import GatewayClient
from story import House, booking_body, euro, furnish, sign_up

POSTS_WITH_KEY = ("bookings", "purchases", "memberships", "fees", "invoices", "billing-runs")


@pytest.fixture
def house(client: GatewayClient) -> House:
    """A furnished organisation."""
    return furnish(client)


def refuse(house: House, method: str, path: str, body: Any, statuses: set[int], headers: Any = None) -> dict[str, Any]:
    """Send what must be refused with a problem; returns the problem."""
    answer = house.api.send(method, path, body, headers)
    assert answer.status in statuses, (path, body, answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json
    assert {"type", "title", "status", "detail", "code", "trace_id"} <= set(problem)
    return problem


def counts(house: House) -> dict[str, int]:
    """How many things there are of each kind."""
    kinds = ("locations", "resources", "resource-rates", "plans", "members", "memberships", "bookings", "invoices")
    return {kind: len(house.api.get(f"/v1/{kind}?limit=200")["items"]) for kind in kinds}


def bad_bodies(house: House) -> list[tuple[str, dict[str, Any]]]:
    """Every body of the story, broken in one place."""
    booking = booking_body(house)
    location = {"name": "Dock 2", "timezone": "Europe/Berlin"}
    resource = {"name": "Red Room", "type": "meeting_room", "location_id": house.location}
    price = {"unit": "hour", "price": euro(1500)}
    rate = {"name": "Rooms", "resource_ids": [house.resource], "prices": [price]}
    plan = {"name": "Plan", "kind": "recurring", "price": euro(30000), "interval": "month"}
    member = {"name": "Another", "email": "another@example.com"}
    membership = {"plan_id": house.plan, "member_id": house.member, "start_date": "2027-02-12"}
    dollars = {"amount_minor": 100, "currency": "USD"}
    unknown = "0" * 32
    good = {
        "/v1/locations": location,
        "/v1/resources": resource,
        "/v1/resource-rates": rate,
        "/v1/plans": plan,
        "/v1/members": member,
        "/v1/memberships": membership,
        "/v1/bookings": booking,
        "/v1/bookings/quote": booking,
        "/v1/payment-methods/setup": {"member_id": house.member, "token": "sandbox_ok"},
    }
    broken = [(path, {**body, "surprise": 1}) for path, body in good.items()]
    broken += [(path, {**body, next(iter(body)): [7]}) for path, body in good.items()]
    broken += [(path, {}) for path in good]
    return [
        *broken,
        ("/v1/bookings", {**booking, "end": booking["start"]}),
        ("/v1/bookings", {**booking, "start": booking["end"], "end": booking["start"]}),
        ("/v1/bookings", {**booking, "start": "2027-02-15T09:00:00"}),
        ("/v1/bookings", {**booking, "resource_id": f"res_{unknown}"}),
        ("/v1/bookings", {**booking, "member_id": f"mem_{unknown}"}),
        ("/v1/bookings", {**booking, "resource_id": house.member}),
        ("/v1/bookings/quote", {**booking, "start": "2027-02-15T09:00:00"}),
        ("/v1/memberships", {**membership, "plan_id": f"pln_{unknown}"}),
        ("/v1/memberships", {**membership, "start_date": "12.02.2027"}),
        ("/v1/memberships", {**membership, "end_date": "2027-02-01"}),
        ("/v1/memberships", {**membership, "price": dollars}),
        ("/v1/plans", {**plan, "price": dollars}),
        ("/v1/plans", {**plan, "price": {"amount_minor": 1.5, "currency": "EUR"}}),
        ("/v1/resource-rates", {**rate, "prices": [{"unit": "hour", "price": dollars}]}),
        ("/v1/resource-rates", {**rate, "resource_ids": [f"res_{unknown}"]}),
        ("/v1/resources", {**resource, "location_id": f"loc_{unknown}"}),
        ("/v1/resources", {**resource, "capacity": 0}),
        ("/v1/locations", {**location, "timezone": "Mars/Olympus"}),
        ("/v1/members", {**member, "email": "not an address"}),
        ("/v1/payment-methods/setup", {"member_id": house.member, "token": "sandbox_no_such_token"}),
        ("/v1/organization/clock/advance", {"to": "2020-01-01T00:00:00Z"}),
        ("/v1/organization/clock/advance", {"to": "2027-03-10T12:00:00"}),
    ]


def test_every_broken_body_of_the_story_is_refused_and_changes_nothing(house: House) -> None:
    before = counts(house)
    for path, body in bad_bodies(house):
        refuse(house, "POST", path, body, {400, 404, 409, 422})
    refuse(house, "PATCH", "/v1/settings/billing", {"automatic_generation": "perhaps"}, {422})
    refuse(house, "PATCH", "/v1/settings/billing", {"payment_terms_days": -1}, {422})
    refuse(house, "PATCH", "/v1/settings/billing", {"surprise": True}, {422})
    assert counts(house) == before


def test_another_organisations_ids_are_not_found(house: House, client: GatewayClient) -> None:
    stranger, _ = sign_up(client)
    other = House(stranger, {}, house.location, house.resource, house.plan, house.member, house.method)
    refuse(other, "POST", "/v1/bookings", booking_body(house), {404, 422})
    refuse(other, "POST", "/v1/bookings/quote", booking_body(house), {404, 422})
    membership = {"plan_id": house.plan, "member_id": house.member, "start_date": "2027-02-12"}
    refuse(other, "POST", "/v1/memberships", membership, {404, 422})
    for path in (
        f"/v1/locations/{house.location}",
        f"/v1/resources/{house.resource}",
        f"/v1/plans/{house.plan}",
        f"/v1/members/{house.member}",
    ):
        refuse(other, "GET", path, None, {404})
        refuse(other, "PATCH", path, {"name": "Mine now"}, {404})
    assert house.api.get(f"/v1/members/{house.member}")["name"] == "Example Member"


@pytest.mark.parametrize("kind", POSTS_WITH_KEY)
def test_a_missing_idempotency_key_is_refused(house: House, kind: str) -> None:
    problem = refuse(house, "POST", f"/v1/{kind}", {}, {400}, {"Idempotency-Key": ""})
    assert problem["code"] == "idempotency_key_missing"


def test_without_token_with_garbage_and_with_a_wrong_type(house: House, client: GatewayClient) -> None:
    anonymous = House(client, {}, "", "", "", "", "")
    refuse(anonymous, "GET", "/v1/members", None, {401})
    refuse(House(client.signed_in("garbage"), {}, "", "", "", "", ""), "GET", "/v1/members", None, {401})
    refuse(house, "POST", "/v1/bookings", b"<xml/>", {415}, {"Content-Type": "application/xml"})
    refuse(house, "POST", "/v1/bookings", b"{not json", {400, 422})
    refuse(house, "GET", "/v1/no-such-thing", None, {404})
    refuse(house, "DELETE", "/v1/bookings", None, {405})
    refuse(house, "POST", "/internal/settlement", {}, {404})
