"""Extras of a checkout's rooms: asked about first, then booked along (GH-1, PRI-5)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, request

CHECKOUTS = "/v1/storefront/harbour/checkouts"
ROOM, PLAN = f"res_{uuid4().hex}", f"pln_{uuid4().hex}"
START, END = "2027-02-15T08:00:00+00:00", "2027-02-15T09:00:00+00:00"
COFFEE = {"code": "coffee", "quantity": "2"}
CUSTOMER = {"name": "Example Guest", "email": "guest@example.com"}


class FakeBooking:
    """Booking: offers coffee, keeps what was booked, and tells what it was asked."""

    def __init__(self, app: Flask) -> None:
        self.asked: list[dict[str, Any]] = []
        self.made: list[dict[str, Any]] = []
        app.add_url_rule("/v1/storefront/harbour/quote", view_func=self.quote, methods=["POST"])
        app.add_url_rule("/v1/bookings", view_func=self.book, methods=["POST"])
        app.add_url_rule("/v1/bookings", "list", lambda: {"items": self.made})
        app.add_url_rule("/internal/checkouts/withdrawal", "withdrawal", dict, methods=["POST"])

    def quote(self) -> Any:
        """Anything but coffee is unknown."""
        body = request.get_json()
        self.asked.append(body)
        if any(extra["code"] != "coffee" for extra in body.get("extras", ())):
            return {"code": "unknown_extra", "detail": "there is no such extra"}, 422
        return {"violations": [], "conflicts": []}

    def book(self) -> Any:
        """Fifteen euros, and nine with the coffees."""
        body = request.get_json()
        price = {"amount_minor": 2400 if "extras" in body else 1500, "currency": "EUR"}
        state = {"status": "confirmed", "cancel_reason": None, "hold_expires_at": None, "promo_code": None}
        self.made.append({**body, **state, "price": price})
        return self.made[-1], 201


@pytest.fixture
def booking(world: Any) -> FakeBooking:
    """A storefront with a room and a pass; guests pay later."""
    organization = {"id": f"org_{uuid4().hex}", "slug": "harbour", "currency": "EUR"}
    page = {
        "organization": organization,
        "storefront": {"purchase_flow": {"guest": "pay_later", "member": "pay_later"}},
        "locations": [{"id": "loc_1"}],
        "plans": [{"id": PLAN}],
        "resources": [{"id": ROOM, "location_id": "loc_1"}],
    }
    guest = {"member_id": f"mem_{uuid4().hex}", "access_token": "a guest's token"}
    rules: list[tuple[str, str, Any, str]] = [
        ("catalog", "/v1/storefront/harbour/catalog", page, "GET"),
        ("members", "/internal/guests", guest, "POST"),
        ("invoicing", "/v1/invoices", {"items": []}, "GET"),
        ("payments", "/v1/payments", {"items": []}, "GET"),
    ]
    for service, path, answer, method in rules:
        world.services[service].app.add_url_rule(path, path, lambda told=answer: told, methods=[method])
    return FakeBooking(world.services["booking"].app)


def begin(gateway: Any, item: dict[str, Any]) -> Any:
    body = {"items": [item], "customer": CUSTOMER}
    return gateway(None).post(CHECKOUTS, json=body, headers={"Idempotency-Key": uuid4().hex})


def room(**more: Any) -> dict[str, Any]:
    return {"kind": "booking", "resource_id": ROOM, "start": START, "end": END, **more}


def test_extras_are_quoted_and_booked_and_in_the_amount(booking: FakeBooking, gateway: Any) -> None:
    answer = begin(gateway, room(extras=[COFFEE]))
    assert (answer.status_code, answer.get_json()["state"]) == (201, "confirmed")
    assert answer.get_json()["amount"] == {"amount_minor": 2400, "currency": "EUR"}
    assert [body["extras"] for body in booking.asked] == [[COFFEE]]
    assert [body["extras"] for body in booking.made] == [[COFFEE]]


def test_one_is_meant_when_no_quantity_of_an_extra_is_told(booking: FakeBooking, gateway: Any) -> None:
    assert begin(gateway, room(extras=[{"code": "coffee"}])).status_code == 201
    assert booking.made[0]["extras"] == [{"code": "coffee", "quantity": "1"}]


@pytest.mark.parametrize("item", [room(), room(extras=[])])
def test_a_room_without_extras_is_booked_as_ever(booking: FakeBooking, gateway: Any, item: dict[str, Any]) -> None:
    assert begin(gateway, item).get_json()["amount"] == {"amount_minor": 1500, "currency": "EUR"}
    assert booking.asked == [], "a single room need not be looked at first"
    assert "extras" not in booking.made[0]


def test_an_unknown_extra_is_refused_before_anything_is_booked(booking: FakeBooking, gateway: Any) -> None:
    answer = begin(gateway, room(extras=[COFFEE, {"code": "tea"}]))
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (422, "unknown_extra")
    assert [fault["pointer"] for fault in told["errors"]] == ["/items/0/extras"]
    assert booking.made == []


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"kind": "plan", "plan_id": PLAN, "extras": [COFFEE]}, "/items/0/extras"),
        (room(extras=[{"code": "coffee", "quantity": "0"}]), "/items/0/extras/0/quantity"),
        (room(extras=[{"code": "coffee", "quantity": "lots"}]), "/items/0/extras/0/quantity"),
        (room(extras=[{"quantity": "1"}]), "/items/0/extras/0/code"),
        (room(extras=[{**COFFEE, "price": "1"}]), "/items/0/extras/0/price"),
        (room(extras=[COFFEE] * 51), "/items/0/extras"),
    ],
)
def test_extras_that_cannot_be_are_named(
    booking: FakeBooking, gateway: Any, item: dict[str, Any], pointer: str
) -> None:
    answer = begin(gateway, item)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]
    assert (booking.asked, booking.made) == ([], [])
