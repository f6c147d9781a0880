"""A direct debit that arrives after its hold ran out: the room if it is still free, else the money (GH-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from client import GatewayClient
from footings import Footing
from story import House, euro, furnish

pytestmark = pytest.mark.timeout(240)
EXPIRED, ARRIVED = "2027-02-01T08:10:00Z", "2027-02-05T08:00:00Z"


@dataclass
class Door:
    """An open storefront with one room."""

    house: House
    stranger: GatewayClient
    path: str

    def buy(self, email: str, token: str) -> None:
        """Check the room out and pay."""
        item = {
            "kind": "booking",
            "resource_id": self.house.resource,
            "start": "2027-02-15T09:00:00+01:00",
            "end": "2027-02-15T12:00:00+01:00",
        }
        body = {"items": [item], "customer": {"name": "Example Guest", "email": email}}
        made = self.stranger.post(f"{self.path}/checkouts", body)
        self.stranger.post(f"{self.path}/checkouts/{made['id']}/payment", {"token": token}, status=200)

    def found(self, email: str) -> dict[str, Any]:
        """A guest's only booking, invoice and payment."""
        members = self.house.api.get("/v1/members?limit=200")["items"]
        (guest,) = [member["id"] for member in members if member["email"] == email]
        kinds = ("bookings", "invoices", "payments")
        lists = {kind: self.house.api.get(f"/v1/{kind}?member_id={guest}")["items"] for kind in kinds}
        assert [len(items) for items in lists.values()] == [1, 1, 1], lists
        return {kind: items[0] for kind, items in lists.items()}


@pytest.fixture
def door(alone: Footing) -> Door:
    """A furnished house whose storefront is open."""
    house = furnish(GatewayClient(alone.origin))
    house.api.patch(f"/v1/resources/{house.resource}", {"visibility": "public"})
    house.api.patch("/v1/storefront-settings", {"published": True})
    return Door(house, GatewayClient(alone.origin), f"/v1/storefront/{house.organization['slug']}")


def test_the_room_is_still_free_and_the_late_payer_gets_it(door: Door) -> None:
    door.buy("late@example.com", "sandbox_pending")
    door.house.api.advance(EXPIRED)
    assert door.found("late@example.com")["bookings"]["status"] == "expired"
    door.house.api.advance(ARRIVED)
    late = door.found("late@example.com")
    assert (late["bookings"]["status"], late["invoices"]["state"]) == ("confirmed", "paid")
    assert (late["invoices"]["paid"], late["payments"]["state"]) == (euro(4500), "succeeded")


def test_somebody_else_has_the_room_and_the_money_goes_back(door: Door) -> None:
    door.buy("late@example.com", "sandbox_pending")
    door.house.api.advance(EXPIRED)
    door.buy("quick@example.com", "sandbox_ok")
    door.house.api.advance(ARRIVED)
    late, quick = door.found("late@example.com"), door.found("quick@example.com")
    assert (quick["bookings"]["status"], quick["invoices"]["state"]) == ("confirmed", "paid")
    assert late["bookings"]["status"] == "expired"
    assert (late["payments"]["state"], late["payments"]["refunded"]) == ("refunded", euro(4500))
    (note,) = door.house.api.get(f"/v1/credit-notes?invoice_id={late['invoices']['id']}")["items"]
    assert (note["refund"], note["to_account_credit"]) == (euro(4500), euro(0))
    assert late["invoices"]["payable"] == euro(0)


def test_a_debit_that_fails_after_the_hold_leaves_a_void_invoice(door: Door) -> None:
    door.buy("late@example.com", "sandbox_pending_fails")
    door.house.api.advance(ARRIVED)
    late = door.found("late@example.com")
    assert (late["bookings"]["status"], late["invoices"]["state"]) == ("expired", "void")
    assert late["payments"]["state"] == "failed"
