"""Organisations with something of everything, for tests that call every route with real ids."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass, field
from typing import Any

from client import GatewayClient
from PIL import Image
from story import PASSWORD, House, booking_body, euro, furnish, join_and_book

ROLES = ("owner", "admin", "front_desk", "accountant", "member")
NOW = "2027-02-20T12:00:00Z"
LATER = {"start": "2027-03-15T09:00:00+01:00", "end": "2027-03-15T12:00:00+01:00"}


@dataclass
class Tenant:
    """An organisation: its own door, a token of every role, and ids by the name of their path parameter."""

    api: GatewayClient
    organization: dict[str, Any]
    tokens: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def by_prefix(self) -> dict[str, str]:
        """An id of every kind: ``mem`` -> ``mem_…``."""
        found = {value.partition("_")[0]: value for value in self.ids.values() if "_" in value[:5]}
        return {**found, "org": self.organization["id"]}


def settle(client: GatewayClient) -> Tenant:
    """Sign up, furnish, live through the first invoice of 12 Feb and its payment, and add what the story lacks."""
    house = furnish(client)
    # Without it there is no e-invoice.
    house.api.patch("/v1/organization", {"vat_number": "DE136695976"})
    house.api.post("/v1/webhook-endpoints", {"url": "https://example.com/hooks", "event_types": ["invoice-issued"]})
    join_and_book(house)
    _take_a_deposit(house)
    house.api.advance(NOW)
    ids = {
        "location_id": house.location,
        "resource_id": house.resource,
        "plan_id": house.plan,
        "member_id": house.member,
        "method_id": house.method,
        "slug": house.organization["slug"],
        "event": "receipt",
        "language": "en",
    }
    ids |= _people(house) | _catalogue(house) | _visits(house) | _documents(house) | _messages(house)
    return Tenant(house.api, house.organization, _tokens(client, house), ids)


def _take_a_deposit(house: House) -> None:
    body = {"name": "Private office", "kind": "recurring", "price": euro(90000), "interval": "month"}
    plan = house.api.post("/v1/plans", {**body, "deposit": euro(50000)})["id"]
    membership = {"plan_id": plan, "member_id": house.member, "location_id": house.location}
    house.api.post("/v1/memberships", {**membership, "start_date": "2027-02-12"})


def _tokens(client: GatewayClient, house: House) -> dict[str, str]:
    """Real tokens: the owner's of the sign-up, keys of staff roles exchanged, the member's by password."""
    tokens = {"owner": house.api.token or ""}
    for role in ROLES[1:-1]:
        key = house.api.post("/v1/api-keys", {"name": f"Key of {role}", "role": role})["key"]
        tokens[role] = client.post("/v1/tokens", {"grant": "api_key", "key": key}, status=200)["access_token"]
    house.api.post(f"/v1/members/{house.member}/password", {"password": PASSWORD}, status=204)
    grant = {"email": "member@example.com", "password": PASSWORD, "organization": house.organization["slug"]}
    tokens["member"] = client.post("/v1/tokens", grant, status=200)["access_token"]
    return tokens


def _people(house: House) -> dict[str, str]:
    company = house.api.post("/v1/companies", {"name": "Example Ltd", "email": "office@company.example"})["id"]
    host = {"name": "Example Host", "email": f"host-{secrets.token_hex(4)}@harbour.example", "role": "front_desk"}
    key = house.api.post("/v1/api-keys", {"name": "Door system", "role": "front_desk"})
    return {"company_id": company, "user_id": house.api.post("/v1/users", host)["id"], "key_id": key["id"]}


def _catalogue(house: House) -> dict[str, str]:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(picture, "PNG")
    path = f"/v1/resources/{house.resource}/pictures"
    answer = house.api.send("POST", path, picture.getvalue(), {"Content-Type": "image/png"})
    assert answer.status == 201, answer.body
    house.api.patch("/v1/storefront-settings", {"published": True})
    return {
        "picture_id": answer.json["id"],
        "rate_id": house.api.get("/v1/resource-rates")["items"][0]["id"],
        "promo_code_id": house.api.post("/v1/promo-codes", {"code": "SPRING20", "percent": "20"})["id"],
    }


def _visits(house: House) -> dict[str, str]:
    member = {"member_id": house.member}
    booking = house.api.post("/v1/bookings", {**booking_body(house), **LATER})
    grant = house.api.post("/v1/credits", {**member, "hours": "10"})
    house.api.post("/v1/passes", {**member, "days": 5})
    visit = house.api.post("/v1/check-ins", {**member, "location_id": house.location})
    feed = house.api.post("/v1/calendars", member)
    return {
        "booking_id": booking["id"],
        "grant_id": grant["id"],
        "visit_id": visit["id"],
        "feed_id": feed["id"],
        "secret": feed["path"].rpartition("/")[2].removesuffix(".ics"),
    }


def _documents(house: House) -> dict[str, str]:
    customer, line = {"member_id": house.member}, {"description": "Setup", "quantity": "1", "unit_price": euro(10000)}
    payment = house.api.get("/v1/payments")["items"][0]
    unpaid = house.api.post("/v1/invoices", {**customer, "lines": [line]})
    credited = house.api.post("/v1/invoices", {**customer, "lines": [line]})
    fee = house.api.post("/v1/fees", {**customer, "name": "Key card", "price": euro(2500)})
    return {
        "invoice_id": unpaid["id"],
        "line_id": unpaid["lines"][0]["id"],
        "note_id": house.api.post(f"/v1/invoices/{credited['id']}/credit-notes", {})["id"],
        "fee_id": fee["id"],
        "run_id": house.api.post("/v1/billing-runs", {"as_of": "2027-02-20"})["id"],
        "deposit_id": house.api.get("/v1/deposits")["items"][0]["id"],
        "membership_id": house.api.get("/v1/memberships")["items"][0]["id"],
        "gateway_id": house.api.get("/v1/payment-gateways")["items"][0]["id"],
        "payment_id": payment["id"],
    }


def _messages(house: House) -> dict[str, str]:
    mails = house.api.get("/v1/notifications?limit=200")["items"]
    mail = next(each for each in mails if each["template"] == "invoice")
    shown = house.api.get(f"/v1/notifications/{mail['id']}")
    endpoint = house.api.get("/v1/webhook-endpoints")["items"][0]["id"]
    delivery = house.api.post(f"/v1/webhook-endpoints/{endpoint}/test", {})
    guest = {"name": "Example Guest", "email": "guest@example.com"}
    wanted = {"items": [{"kind": "plan", "plan_id": house.plan}], "customer": guest}
    return {
        "notification_id": mail["id"],
        "attachment_id": shown["attachments"][0]["href"].rpartition("/")[2],
        "endpoint_id": endpoint,
        "delivery_id": delivery["id"],
        "checkout_id": house.api.post(f"/v1/storefront/{house.organization['slug']}/checkouts", wanted)["id"],
    }
