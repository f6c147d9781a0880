"""A stranger on the storefront: looks, chooses a time, sees the price, comes to the checkout; also without scripts."""

from __future__ import annotations

import re

import pytest
from footings import Footing
from playwright.sync_api import Browser, Page, expect
from portal_walks import furnish, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def open_storefront(page: Page) -> str:
    """A furnished space whose storefront is open; the owner leaves."""
    slug = furnish(page).slug
    page.goto("/admin/storefront")
    page.get_by_role("switch", name="The storefront is open to everybody").check()
    page.get_by_label("Headline").fill("Work by the water")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.context.clear_cookies()
    return slug


def choose_first_free_time(page: Page, slug: str) -> None:
    """The first day on which the room is free, and its first start."""
    page.goto(f"/hub/{slug}/")
    page.get_by_role("link", name="See free times").first.click()
    times = page.get_by_role("main").locator(".slots label")
    if not times.count():
        shown = page.get_by_label("Day").input_value()
        address = page.url.partition("?")[0]
        following = page.evaluate("day => new Date(Date.parse(day) + 864e5).toISOString().slice(0, 10)", shown)
        page.goto(f"{address}?date={following}")
    times.first.click()


def test_a_stranger_sees_the_price_and_comes_to_the_checkout(page: Page) -> None:
    slug = open_storefront(page)
    choose_first_free_time(page, slug)
    expect(page.locator("#price output")).to_contain_text("€15.00")
    press(page, "On to your details")
    expect(page.get_by_role("heading", name="Your details")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("€15.00")


def test_a_stranger_books_a_room_and_pays_after_a_declined_card(page: Page) -> None:
    slug = open_storefront(page)
    choose_first_free_time(page, slug)
    expect(page.locator("#price output")).to_contain_text("€15.00")
    press(page, "On to your details")
    page.get_by_label("Name", exact=True).fill("Example Guest")
    page.get_by_label("E-mail address").fill(f"guest@{slug}.example")
    press(page, "On to the payment")
    expect(page.get_by_role("heading", name="Payment", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Kept for you for")
    page.get_by_label("Sandbox card that …").select_option("sandbox_declined")
    press(page, "Pay €15.00")
    expect(page.get_by_text("The payment did not go through")).to_be_visible()
    page.get_by_label("Sandbox card that …").select_option("sandbox_ok")
    press(page, "Pay €15.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("All is arranged")


def test_the_storefront_works_without_scripts_as_far_as_the_details(
    page: Page, chromium: Browser, suite: Footing
) -> None:
    slug = open_storefront(page)
    context = chromium.new_context(base_url=suite.origin, java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"/hub/{slug}/")
    expect(plain.get_by_role("heading", name="Work by the water")).to_be_visible()
    plain.get_by_role("link", name=re.compile("Join.*Flex desk")).click()
    expect(plain.get_by_label("First day")).to_be_visible()
    press(plain, "On to the payment")
    expect(plain.get_by_text("Please fill this in.").first).to_be_visible()
    context.close()
