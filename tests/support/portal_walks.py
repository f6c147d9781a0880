"""Ways through the pages that several tests take."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from client import GatewayClient
from playwright.sync_api import Page, expect
from story import ALL_ON, DAYS, PASSWORD, euro
from story import sign_up as sign_up_over_api


@dataclass(frozen=True)
class Space:
    """An organisation with a member, and its owner's API when it was made over that."""

    slug: str
    member_page: str
    api: GatewayClient | None = None

    @property
    def owner(self) -> GatewayClient:
        """The owner's API."""
        assert self.api is not None, "made through the pages"
        return self.api

    @property
    def member(self) -> str:
        """The member's id."""
        return self.member_page.rpartition("/")[2]


def make_space(origin: str) -> Space:
    """What `furnish` makes, made over the API: for tests that are about something else."""
    api, organization = sign_up_over_api(GatewayClient(origin), clock=None)
    slug = organization["slug"]
    hours = {day: [["08:00", "18:00"]] for day in (*DAYS, "sat", "sun")}
    location = api.post("/v1/locations", {"name": "Dock 1", "timezone": "Europe/Berlin", "opening_hours": hours})["id"]
    room = {"name": "Blue Room", "type": "meeting_room", "location_id": location, "visibility": "public"}
    resource = api.post("/v1/resources", room)["id"]
    prices = [{"unit": "hour", "price": euro(1500)}]
    api.post("/v1/resource-rates", {"name": "Blue Room", "resource_ids": [resource], "prices": prices})
    plan = {"name": "Flex desk", "kind": "recurring", "price": euro(30000), "interval": "month", "prorate": True}
    api.post("/v1/plans", plan)
    member = api.post("/v1/members", {"name": "Ada Lindqvist", "email": f"ada@{slug}.example"})["id"]
    api.post("/v1/payment-methods/setup", {"member_id": member, "token": "sandbox_ok"})
    api.patch("/v1/settings/billing", {**ALL_ON, "payment_terms_days": 7})
    return Space(slug, f"/admin/members/{member}", api)


def enter_as_owner(page: Page, space: Space) -> None:
    """The owner signs in with the password."""
    page.goto("/sign-in")
    page.get_by_label("Short name of the space").fill(space.slug)
    page.get_by_label("E-mail address").fill(f"owner@{space.slug}.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()


def press(page: Page, name: str) -> None:
    """Press the main part's button of that name."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def sign_up(page: Page) -> str:
    """A rehearsal organisation; its owner lands on the checklist."""
    slug = f"harbour-{secrets.token_hex(4)}"
    page.goto("/sign-up")
    page.get_by_label("Name of your space").fill("Harbour Works")
    page.get_by_label("Short name for addresses").fill(slug)
    page.get_by_label("Your name").fill("Example Owner")
    page.get_by_label("Your e-mail address").fill(f"owner@{slug}.example")
    page.get_by_label("Choose a password").fill(PASSWORD)
    press(page, "Create and look around")
    expect(page.get_by_role("heading", name="Getting paid", level=1)).to_be_visible()
    return slug


def furnish(page: Page) -> Space:
    """Sign up, open a location with a room and its rate, make a plan, take a member in, switch automation on."""
    slug = sign_up(page)
    page.goto("/admin/locations/new")
    page.get_by_label("Name", exact=True).fill("Dock 1")
    for day in ("Saturday", "Sunday"):
        page.get_by_label(day).fill("08:00–18:00")
    press(page, "Save")
    page.goto("/admin/resources/new")
    page.get_by_label("Name", exact=True).fill("Blue Room")
    press(page, "Save and set a price")
    page.get_by_label("Hour optional").fill("15")
    press(page, "Save")
    page.goto("/admin/plans/new")
    page.get_by_label("Name", exact=True).fill("Flex desk")
    page.get_by_label("Price", exact=True).fill("300")
    press(page, "Save")
    member_page = take_member_in(page, slug)
    switch_automation_on(page)
    return Space(slug, member_page)


def take_member_in(page: Page, slug: str) -> str:
    """A member with a sandbox card that always pays; returns the address of their page."""
    page.goto("/admin/members/new")
    page.get_by_label("Name", exact=True).fill("Ada Lindqvist")
    page.get_by_label("E-mail address", exact=True).fill(f"ada@{slug}.example")
    press(page, "Save")
    page.get_by_label("Add a sandbox card that …").select_option("sandbox_ok")
    press(page, "Add card")
    expect(page.get_by_text("Visa •••• 4242")).to_be_visible()
    return page.url.partition("#")[0]


def switch_automation_on(page: Page) -> None:
    """The three switches."""
    page.goto("/admin/settings/billing")
    for name in ("Generate invoices", "Send invoices", "Collect payments"):
        page.get_by_role("switch", name=f"{name} automatically").check()
    page.get_by_label("Payment is due after").fill("7")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()


def give_plan(page: Page, member_page: str) -> None:
    """The member gets the Flex desk from today on."""
    page.goto(member_page)
    page.get_by_role("link", name="Give a plan").click()
    page.get_by_label("Plan", exact=True).select_option(label="Flex desk")
    press(page, "Set up")
    expect(page.get_by_role("heading", name="Flex desk", level=1)).to_be_visible()


def advance_a_week(page: Page) -> None:
    """The rehearsal's clock, a week on."""
    page.goto("/admin/rehearsal")
    press(page, "One week on")
    expect(page.get_by_text("The clock has moved.")).to_be_visible(timeout=60_000)


def enter_as_member(page: Page, space: Space) -> None:
    """Invited by mail that stays in the app, the member chooses a password and is in."""
    page.goto(space.member_page)
    press(page, "Invite to the portal")
    page.goto("/admin/notifications")
    page.get_by_role("main").get_by_role("link", name=re.compile("invit|welcome", re.IGNORECASE)).first.click()
    link = page.frame_locator("iframe").locator("a[href*='/invitation?']").first.get_attribute("href")
    assert link
    page.goto(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_label("Choose a password").fill(PASSWORD)
    press(page, "Come in")
    expect(page.get_by_role("heading", name="Hello, Ada", level=1)).to_be_visible()
