"""axe-core finds no serious fault on the main pages."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from portal_walks import Space, enter_as_member, furnish, give_plan

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_GRAVE = frozenset({"serious", "critical"})
OPEN = ("/", "/sign-up", "/sign-in", "/sign-in/by-link")
ADMIN = (
    "/admin/", "/admin/getting-paid", "/admin/calendar", "/admin/bookings", "/admin/bookings/new", "/admin/members",
    "/admin/members/new", "/admin/memberships", "/admin/invoices", "/admin/payments", "/admin/billing-runs",
    "/admin/fees", "/admin/locations/new", "/admin/resources", "/admin/resources/new", "/admin/resource-rates",
    "/admin/resource-rates/new", "/admin/plans/new", "/admin/storefront", "/admin/notifications",
    "/admin/payment-gateways", "/admin/payment-gateways/new", "/admin/settings/billing",
    "/admin/settings/organization", "/admin/team", "/admin/rehearsal",
)  # fmt: skip
MEMBER = ("", "book", "bookings", "invoices", "payment-methods", "membership", "profile")


def test_no_page_has_a_serious_accessibility_fault(page: Page) -> None:
    space = furnish(page)
    give_plan(page, space.member_page)
    staff_pages = [*OPEN, *ADMIN, space.member_page, f"/hub/{space.slug}/", first_invoice(page)]
    faults = [fault for path in staff_pages for fault in grave_faults(page, path)]
    faults += member_faults(page, space)
    assert not faults, "\n".join(faults)


def member_faults(page: Page, space: Space) -> list[str]:
    enter_as_member(page, space)
    return [fault for path in MEMBER for fault in grave_faults(page, f"/portal/{space.slug}/{path}")]


def first_invoice(page: Page) -> str:
    page.goto("/admin/invoices")
    return page.get_by_role("main").get_by_role("link", name="INV-").first.get_attribute("href") or "/admin/invoices"


def grave_faults(page: Page, path: str) -> list[str]:
    page.goto(path)
    found = Axe().run(page).response["violations"]
    return [
        f"{path}: {fault['id']} ({fault['help']}): {fault['nodes'][0]['html'][:160]}"
        for fault in found
        if fault["impact"] in _GRAVE
    ]
