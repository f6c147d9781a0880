"""A house made through the API with a member and an open storefront, and how the member comes in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from client import GatewayClient
from playwright.sync_api import Page
from story import PASSWORD, House, euro, furnish

ROOM_DAY = "2027-02-15"
START = "2027-02-15T09:00:00+01:00"
END = "2027-02-15T10:00:00+01:00"


@dataclass(frozen=True)
class Place:
    """The house, and what its pages are about."""

    house: House
    slug: str
    day_pass: str
    dearer_plan: str
    company: str

    @property
    def portal(self) -> str:
        """Where the Member Portal begins."""
        return f"/portal/{self.slug}"

    @property
    def hub(self) -> str:
        """Where the storefront begins."""
        return f"/hub/{self.slug}"


def open_place(origin: str, **member: Any) -> Place:
    """Rooms for everybody with a fee for late cancelling, passes, two plans, and a member of a company."""
    house = furnish(GatewayClient(origin))
    rules = {"steps": [{"hours_before": 24, "percent": "50"}]}
    house.api.patch(f"/v1/resources/{house.resource}", {"visibility": "public", "cancellation_policy": rules})
    day_pass = house.api.post("/v1/plans", {"name": "Day pass", "kind": "one_off", "price": euro(2500), "passes": 1})[
        "id"
    ]
    terms = {"name": "Fixed desk", "kind": "recurring", "price": euro(45000), "interval": "month", "prorate": True}
    dearer = house.api.post("/v1/plans", terms)["id"]
    house.api.patch("/v1/storefront-settings", {"published": True, "headline": "Work by the water"})
    house.api.patch("/v1/settings/billing", {"member_changes": ["plan_change", "pause", "end"]})
    company = house.api.post("/v1/companies", {"name": "Reederei Nord", "email": "office@nord.example"})["id"]
    house.api.post(f"/v1/members/{house.member}/password", {"password": PASSWORD}, status=204)
    if member:
        house.api.patch(f"/v1/members/{house.member}", member)
    return Place(house, house.organization["slug"], day_pass, dearer, company)


def join(place: Place) -> tuple[str, str]:
    """Give the member the Flex desk, billed for February; the ids of membership and invoice."""
    api, member = place.house.api, place.house.member
    body = {"plan_id": place.house.plan, "member_id": member, "start_date": "2027-02-01"}
    membership = api.post("/v1/memberships", body)["id"]
    api.post("/v1/billing-runs", {"as_of": "2027-02-01"})
    return membership, api.get(f"/v1/invoices?member_id={member}")["items"][0]["id"]


def book(place: Place, start: str = START, end: str = END) -> str:
    """The member has the Blue Room; returns the booking's id."""
    body = {"resource_id": place.house.resource, "member_id": place.house.member, "start": start, "end": end}
    return str(place.house.api.post("/v1/bookings", {**body, "payment": "on_invoice"})["id"])


def enter(page: Page, place: Place, where: str | None = None) -> None:
    """The member signs in with the password, on the way to a page."""
    page.goto(where or f"{place.portal}/")
    page.locator("#email").fill("member@example.com")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name=re.compile("^(Sign in|Anmelden)$")).click()
    page.wait_for_url(re.compile(f"{place.portal}|{place.hub}"))
