"""Bookings of the storefront's checkouts: whoever typed a member's address in books as a stranger (GH-1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from common.ids import encode_id, new_id
from common.money import Money
from contracts.parts import RatePrice

START, END = "2027-02-15T09:00:00+01:00", "2027-02-15T12:00:00+01:00"


def checkout_body(room: Any, **values: Any) -> dict[str, Any]:
    return room.body(START, END, payment="now", checkout_id=encode_id("chk", new_id()), **values)


def euro_hour(minor: int) -> RatePrice:
    return RatePrice(unit="hour", price=Money(minor, "EUR"))


def test_a_checkout_pays_the_strangers_price_and_leaves_credits_alone(room: Any) -> None:
    """GH-1."""
    hall = room.house.resource(room.location_id, display_name="Hall", visibility="public")
    company = room.house.company()
    room.house.member(member_id=room.member_id, company_id=company, version=2)
    room.house.credits(room.member_id, "10", resource_discount_percent=Decimal(50))
    client = room.house.member_user(room.member_id, company=str(company))
    body = {**checkout_body(room), "resource_id": encode_id("res", hall)}
    made = client.post("/v1/bookings", body)
    assert made.status_code == 201, made.json
    shown = made.json
    assert (shown["status"], shown["price"]["amount_minor"], shown["credits_used"]) == ("held", 4500, "0")
    assert (shown["is_personal"], shown["checkout_id"]) == (True, body["checkout_id"])
    assert shown["customer_name"] is None, "whoever types an address in is not told whose it is"
    found = client.get(f"/v1/bookings?checkout_id={body['checkout_id']}").json["items"]
    assert [booking["id"] for booking in found] == [shown["id"]]


def test_a_checkout_reaches_public_resources_only(room: Any) -> None:
    """GH-1."""
    refused = room.house.member_user(room.member_id).post("/v1/bookings", checkout_body(room))
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_resource")


def test_whoever_asks_for_approval_waits_for_it(room: Any) -> None:
    """GH-2."""
    made = room.house.member_user(room.member_id).post("/v1/bookings", room.body(START, END, asks_approval=True))
    assert made.json["status"] == "tentative"


def test_who_has_signed_in_checks_out_as_a_member_with_their_own_credits(room: Any) -> None:
    """GH-1: no stranger's price, and rooms for members are there."""
    client = room.house.member_user(room.member_id)
    body = checkout_body(room, as_member=True)
    assert client.post("/v1/bookings", body).json["price"]["amount_minor"] == 4500
    room.house.credits(room.member_id, "3")
    later = {**body, "start": "2027-02-16T09:00:00+01:00", "end": "2027-02-16T12:00:00+01:00"}
    free = client.post("/v1/bookings", later).json
    assert (free["price"]["amount_minor"], free["credits_used"], free["status"]) == (0, "3", "confirmed")


def test_gh_1_what_a_stranger_booked_stays_at_strangers_prices_when_it_is_moved(room: Any) -> None:
    hall = room.house.resource(room.location_id, display_name="Hall", visibility="public")
    prices = {"public": euro_hour(4000), "members": euro_hour(2000)}
    for audience, price in prices.items():
        room.house.rate(resource_ids=[hall], resource_types=[], prices=[price], conditions={"audience": audience})
    room.house.credits(room.member_id, "10", resource_discount_percent=Decimal(50))
    client = room.house.member_user(room.member_id)
    body = {**checkout_body(room), "resource_id": encode_id("res", hall), "payment": "on_invoice"}
    made = client.post("/v1/bookings", body).json
    assert made["price"]["amount_minor"] == 12000
    for mover, end in ((room.client, "2027-02-15T11:00:00+01:00"), (client, "2027-02-15T10:00:00+01:00")):
        made = mover.patch(f"/v1/bookings/{made['id']}", {"end": end}).json
    assert (made["price"]["amount_minor"], made["credits_used"]) == (4000, "0")


def test_pas_1_the_storefront_and_the_portal_draw_on_one_capacity(room: Any) -> None:
    desks = room.house.resource(
        room.location_id, display_name="Desks", type="hot_desk", capacity=2, visibility="public", is_free=True
    )
    there = {"resource_id": encode_id("res", desks), "payment": "on_invoice"}
    stranger = room.house.member_user(room.house.member())
    portal = room.house.member_user(room.member_id)
    own = {**room.body(START, END), **there}
    sold = {**checkout_body(room), **there}
    sold.pop("member_id")
    assert portal.post("/v1/bookings", own).status_code == 201
    assert stranger.post("/v1/bookings", sold).status_code == 201
    for client, body in ((portal, own), (stranger, sold)):
        refused = client.post("/v1/bookings", body)
        assert (refused.status_code, refused.json["code"]) == (409, "slot_taken")
