"""axe-core finds no serious fault on any page for everybody, members and strangers; none is wider than a phone."""

from __future__ import annotations

import re

import pytest
from axe_faults import grave_faults
from footings import Footing
from playwright.sync_api import Page
from portal_people import ROOM_DAY, Place, book, enter, join, open_place

from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import HttpGateway

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
OPEN = ("/", "/sign-up", "/sign-in", "/sign-in/by-link", "/sign-in/link?token=x", "/invitation?token=x")
# Files, parts of pages, and addresses that only lead on.
NO_PAGES = {
    "/portal/", "/portal/<slug>/bookings/<booking_id>/ics", "/portal/<slug>/invoices/<invoice_id>/pdf",
    "/portal/<slug>/profile/export", "/portal/<slug>/payment-methods/<method_id>/confirmation",
    "/hub/<slug>/rooms/<resource_id>/quote", "/hub/<slug>/rooms/<resource_id>/choice",
    "/hub/<slug>/checkouts/<checkout_id>/returned", "/hub/<slug>/checkouts/<checkout_id>",
}  # fmt: skip


def rules(blueprint: str) -> set[str]:
    """All addresses that a part of the portal answers with GET."""
    app = create_portal_app(PortalSettings(secret="for the map of addresses only"), HttpGateway("http://127.0.0.1:9"))
    found = (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{blueprint}."))
    return {rule.rule for rule in found if "GET" in (rule.methods or ())} - NO_PAGES


def addresses(blueprint: str, place: Place, ids: dict[str, str], **queries: str) -> list[str]:
    """Every page of a part, with these ids in the place of names."""
    known = {"slug": place.slug, "resource_id": place.house.resource, **ids}
    return [
        re.sub(r"<(\w+)>", lambda name: known[name[1]], rule) + queries.get(rule.rpartition("/")[2] or "start", "")
        for rule in sorted(rules(blueprint))
    ]


def too_wide(page: Page, path: str) -> list[str]:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return [f"{path}: {width} wide on a phone"] if width > 390 else []


def faults_of(page: Page, paths: list[str]) -> list[str]:
    return [fault for path in paths for fault in (*grave_faults(page, path), *too_wide(page, path))]


def test_no_page_for_everybody_has_a_serious_fault(page: Page) -> None:
    faults = faults_of(page, list(OPEN))
    assert not faults, "\n".join(faults)


def test_no_page_of_members_has_a_serious_fault(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    membership, invoice = join(place)
    ids = {"booking_id": book(place), "invoice_id": invoice, "membership_id": membership}
    powers = {"company_id": place.company, "is_billing_person": True, "is_contact_person": True}
    place.house.api.patch(f"/v1/members/{place.house.member}", powers)
    enter(page, place)
    pages = addresses(
        "member", place, ids, plan=f"?plan_id={place.dearer_plan}", **{"<resource_id>": f"?date={ROOM_DAY}"}
    )
    assert len(pages) >= 18
    faults = faults_of(page, pages)
    assert not faults, "\n".join(faults)


def test_no_page_of_the_storefront_has_a_serious_fault(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    pages = addresses("hub", place, {}, checkout=f"?item={place.day_pass}~2", **{"<resource_id>": f"?date={ROOM_DAY}"})
    faults = faults_of(page, [*pages, f"{place.hub}/checkout", f"{place.hub}/?embed=1"])
    items = [{"kind": "plan", "plan_id": place.day_pass}]
    customer = {"name": "Example Guest", "email": "guest@example.com"}
    checkouts = f"/v1/storefront/{place.slug}/checkouts"
    made = place.house.api.signed_in("").post(checkouts, {"items": items, "customer": customer})
    paying = f"{place.hub}/checkouts/{made['id']}?item={place.day_pass}"
    faults += faults_of(page, [paying])
    place.house.api.advance("2027-02-01T08:11:00Z")
    faults += faults_of(page, [paying])
    assert not faults, "\n".join(faults)
