"""The story as HTTP, exactly as API.md tells it: from sign-up to the first automatic payment."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from client import GatewayClient

PASSWORD = "correct-horse-battery"
DAYS = ("mon", "tue", "wed", "thu", "fri")
ALL_ON = {"automatic_generation": True, "automatic_sending": True, "automatic_collection": True}


def euro(amount_minor: int) -> dict[str, Any]:
    """Money in euros as the API writes it."""
    return {"amount_minor": amount_minor, "currency": "EUR"}


@dataclass
class House:
    """An organisation with its ids, ready to be billed."""

    api: GatewayClient
    organization: dict[str, Any]
    location: str
    resource: str
    plan: str
    member: str
    method: str


def sign_up(client: GatewayClient, **changes: Any) -> tuple[GatewayClient, dict[str, Any]]:
    """A rehearsal organisation in Berlin whose clock starts on 1 Feb 2027."""
    slug = f"harbour-{secrets.token_hex(4)}"
    body = {
        "name": "Harbour Works",
        "slug": slug,
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "mode": "rehearsal",
        "clock": "2027-02-01T08:00:00Z",
        "owner": {"name": "Example Owner", "email": f"owner@{slug}.example", "password": PASSWORD},
        **changes,
    }
    made = client.post("/v1/organizations", {k: v for k, v in body.items() if v is not None})
    assert made["token_type"] == "Bearer"
    return client.signed_in(made["access_token"]), made["organization"]


def furnish(client: GatewayClient, settings: dict[str, Any] | None = None, token: str = "sandbox_ok") -> House:
    """Sign up and make location, resource, rates, plan, member, payment method and billing settings."""
    api, organization = sign_up(client)
    hours = {day: [["08:00", "18:00"]] for day in DAYS}
    location = api.post(
        "/v1/locations", {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "opening_hours": hours}
    )["id"]
    resource = api.post(
        "/v1/resources", {"name": "Blue Room", "type": "meeting_room", "location_id": location, "capacity": 1}
    )["id"]
    prices = [{"unit": "hour", "price": euro(1500)}, {"unit": "day", "price": euro(5000)}]
    api.post("/v1/resource-rates", {"name": "Rooms", "resource_ids": [resource], "prices": prices})
    plan = api.post(
        "/v1/plans",
        {
            "name": "Flex desk",
            "kind": "recurring",
            "price": euro(30000),
            "interval": "month",
            "interval_count": 1,
            "prorate": True,
        },
    )["id"]
    member = api.post(
        "/v1/members", {"name": "Example Member", "email": "member@example.com", "location_id": location}
    )["id"]
    gateways = api.get("/v1/payment-gateways")["items"]
    assert [gateway["provider"] for gateway in gateways] == ["sandbox"], "a rehearsal organisation has one connected"
    method = api.post("/v1/payment-methods/setup", {"member_id": member, "token": token})
    assert method["id"].startswith("pmt_")
    wanted = {"automatic_generation": True, "automatic_sending": True, "automatic_collection": True}
    api.patch("/v1/settings/billing", {**(wanted if settings is None else settings), "payment_terms_days": 7})
    return House(api, organization, location, resource, plan, member, method["id"])


def booking_body(house: House) -> dict[str, Any]:
    """Three hours of the Blue Room on 15 Feb 2027."""
    return {
        "resource_id": house.resource,
        "member_id": house.member,
        "start": "2027-02-15T09:00:00+01:00",
        "end": "2027-02-15T12:00:00+01:00",
    }


def join_and_book(house: House) -> dict[str, Any]:
    """Start the membership on 12 Feb, quote and make the booking; returns the booking."""
    house.api.post(
        "/v1/memberships",
        {
            "plan_id": house.plan,
            "member_id": house.member,
            "location_id": house.location,
            "start_date": "2027-02-12",
        },
    )
    quote = house.api.post("/v1/bookings/quote", booking_body(house), status=200)
    assert quote["total"] == euro(4500)
    assert quote["explain"]
    booking = house.api.post("/v1/bookings", {**booking_body(house), "payment": "on_invoice"})
    assert booking["status"] == "confirmed"
    assert booking["price"] == euro(4500)
    return dict(booking)


def invoices(house: House) -> list[dict[str, Any]]:
    """The member's invoices, oldest first."""
    found = house.api.get(f"/v1/invoices?member_id={house.member}&limit=200")["items"]
    return sorted(found, key=lambda invoice: (invoice["issue_date"], invoice["id"]))


def payments(house: House, invoice: dict[str, Any]) -> list[dict[str, Any]]:
    """Payments of one invoice."""
    return list(house.api.get(f"/v1/payments?invoice_id={invoice['id']}")["items"])


def notifications(house: House) -> list[dict[str, Any]]:
    """What the member was told, oldest first."""
    found = house.api.get(f"/v1/notifications?member_id={house.member}&limit=200")["items"]
    return sorted(found, key=lambda item: item["id"])


def check_outcome(house: House) -> None:
    """The amounts of API.md, each invoice sent, paid exactly once on its due date, a receipt for each payment."""
    first, second = invoices(house)
    assert (first["issue_date"], first["due_date"]) == ("2027-02-12", "2027-02-19")
    assert (second["issue_date"], second["due_date"]) == ("2027-03-01", "2027-03-08")
    assert first["total"] == euro(18214)
    assert second["total"] == euro(34500)
    lines = house.api.get(f"/v1/invoices/{second['id']}")["lines"]
    assert sorted(line["total"]["amount_minor"] for line in lines) == [4500, 30000]
    assert [first["number"], second["number"]] == ["INV-2027-00001", "INV-2027-00002"]
    for invoice in (first, second):
        check_paid_once(house, invoice)
    receipts = [n for n in notifications(house) if n["template"] == "receipt"]
    assert len(receipts) == 2
    assert len([n for n in notifications(house) if n["template"] == "invoice"]) == 2


def check_paid_once(house: House, invoice: dict[str, Any]) -> None:
    """One successful payment of the whole amount, on the due date by the location's clock."""
    assert (invoice["state"], invoice["payment_state"]) == ("paid", "paid"), invoice
    assert invoice["payable"] == euro(0)
    assert invoice["paid"] == invoice["total"]
    made = payments(house, invoice)
    assert [payment["state"] for payment in made] == ["succeeded"], made
    assert made[0]["amount"] == invoice["total"]
    assert made[0]["occurred_at"].startswith(invoice["due_date"]), made[0]
