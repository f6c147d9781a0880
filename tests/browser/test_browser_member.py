"""A member books a room and cancels, and pays an invoice with Pay Now."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from portal_walks import enter_as_member, furnish, give_plan, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_member_books_with_live_price_pays_now_and_cancels(page: Page) -> None:
    space = furnish(page)
    give_plan(page, space.member_page)
    enter_as_member(page, space)
    # Owner and member are signed in side by side; browsers keep cookies of 4096 bytes.
    assert sum(len(cookie["value"]) for cookie in page.context.cookies()) < 3900
    pay_the_open_invoice(page)
    book_tomorrow(page, space.slug)
    expect(page.get_by_role("main")).to_contain_text("confirmed")
    press(page, "Cancel booking")
    expect(page.get_by_text("Your booking is cancelled.")).to_be_visible()


def pay_the_open_invoice(page: Page) -> None:
    page.get_by_role("link", name="Pay Now").first.click()
    press(page, "Pay Now")
    expect(page.get_by_text("Paid. Thank you!")).to_be_visible()


def book_tomorrow(page: Page, slug: str) -> None:
    page.goto(f"/portal/{slug}/book")
    for _ in range(8):
        if page.get_by_role("link", name="Choose a time").count():
            break
        shown = page.get_by_label("Day").input_value()
        following = page.evaluate(
            "day => { const d = new Date(day); d.setDate(d.getDate() + 1); return d.toISOString().slice(0, 10) }", shown
        )
        page.goto(f"/portal/{slug}/book?date={following}")
    page.get_by_role("link", name="Choose a time").first.click()
    page.get_by_role("main").locator(".slots label").first.click()
    expect(page.locator("#price output")).to_contain_text("€15.00")
    press(page, "Book")
    expect(page.get_by_text("Booked. See you then!")).to_be_visible()
