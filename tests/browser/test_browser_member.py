"""A member books, moves, cancels, pays, changes the plan; with a keyboard alone; in German."""

from __future__ import annotations

import re

import pytest
from footings import Footing
from playwright.sync_api import Browser, Page, expect
from portal_people import ROOM_DAY, book, enter, join, open_place
from portal_walks import press
from story import euro

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def choose(page: Page, time: str) -> None:
    """A start out of those that are free."""
    page.get_by_role("main").locator(".slots label", has_text=time).click()


def test_member_books_with_live_price_moves_it_and_cancels(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    enter(page, place)
    page.goto(f"{place.portal}/book?date={ROOM_DAY}")
    page.get_by_role("link", name=re.compile("Choose a time.*Blue Room")).click()
    choose(page, "09:00")
    page.get_by_label("How long").select_option("180")
    expect(page.locator("#price output")).to_have_text("€45.00")
    expect(page.locator("#price")).to_contain_text("3 hours")
    press(page, "Book")
    expect(page.get_by_text("Booked. See you then!")).to_be_visible()
    page.get_by_role("link", name="Change the time").click()
    choose(page, "09:30")
    page.get_by_label("How long").select_option("60")
    expect(page.locator("#price output")).to_have_text("€15.00")
    expect(page.locator("#price")).to_contain_text("Now it is €45.00.")
    press(page, "Move it")
    expect(page.get_by_role("heading", name="Mon 15 Feb, 09:30–10:30")).to_be_visible()
    expect(page.get_by_text("Cancelling now is free.")).to_be_visible()
    press(page, "Cancel booking")
    expect(page.get_by_text("Your booking is cancelled.")).to_be_visible()


def test_member_books_extras_along_and_changes_them_alone(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    rate = place.house.api.get("/v1/resource-rates")["items"][0]["id"]
    coffee = {"code": "coffee", "name": "Coffee", "price": euro(450)}
    place.house.api.patch(f"/v1/resource-rates/{rate}", {"extras": [coffee]})
    enter(page, place, f"{place.portal}/book/{place.house.resource}?date={ROOM_DAY}")
    choose(page, "09:00")
    page.get_by_label("Coffee").fill("2")
    expect(page.locator("#price output")).to_have_text("€24.00")
    expect(page.locator("#price")).to_contain_text("Coffee: €9.00.")
    press(page, "Book")
    expect(page.get_by_role("main")).to_contain_text("Coffee × 2")
    page.get_by_role("link", name="Change time or extras").click()
    page.get_by_label("Coffee").fill("lots")
    press(page, "Change it")
    expect(page.locator("#extra-coffee-fault")).to_be_visible()
    page.get_by_label("Coffee").fill("3")
    expect(page.locator("#price output")).to_have_text("€28.50")
    press(page, "Change it")
    expect(page.get_by_text("Changed. See you then!")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Coffee × 3")


def test_member_sees_the_fee_before_cancelling_late(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    booking = book(place, "2027-02-01T15:00:00+01:00", "2027-02-01T17:00:00+01:00")
    enter(page, place, f"{place.portal}/bookings/{booking}")
    expect(page.get_by_text("Cancelling now costs €15.00.")).to_be_visible()
    press(page, "Cancel booking")
    expect(page.get_by_role("main")).to_contain_text("Cancellation fee")


def test_member_pays_now_and_changes_the_plan_after_a_look(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    membership, _invoice = join(place)
    enter(page, place)
    # Owner and member may be signed in side by side; browsers keep cookies of 4096 bytes.
    assert sum(len(cookie["value"]) for cookie in page.context.cookies()) < 2000
    page.get_by_role("link", name="Pay Now").first.click()
    press(page, "Pay Now")
    expect(page.get_by_text("Paid. Thank you!")).to_be_visible()
    page.goto(f"{place.portal}/membership/{membership}")
    expect(page.get_by_text("Your next invoice")).to_be_visible()
    page.get_by_role("link", name="Change the plan").click()
    page.get_by_label("Fixed desk").check()
    press(page, "See what it costs")
    expect(page.get_by_text("Difference before tax")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("€150.00")
    press(page, "Change to Fixed desk")
    expect(page.get_by_role("heading", name="Fixed desk", level=1)).to_be_visible()


def test_member_subscribes_to_a_calendar_that_answers(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    book(place)
    enter(page, place, f"{place.portal}/calendar")
    press(page, "Make an address")
    address = page.get_by_label("Your private address").input_value()
    answer = page.request.get(address)
    assert "SUMMARY:Blue Room" in answer.text()


def test_member_books_with_the_keyboard_alone(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    enter(page, place, f"{place.portal}/book/{place.house.resource}?date={ROOM_DAY}")
    page.locator("h1").wait_for()
    for wanted in ("start", "minutes", "note"):
        tab_to(page, wanted)
        if wanted == "start":
            page.keyboard.press("Space")
            page.keyboard.press("ArrowRight")
    expect(page.locator("#price output")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Booked. See you then!")).to_be_visible()
    expect(page.get_by_role("heading", name="Mon 15 Feb, 08:30–09:30")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the field of that name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_a_member_reads_and_books_in_german(chromium: Browser, suite: Footing) -> None:
    place = open_place(suite.origin, language="de")
    context = chromium.new_context(base_url=suite.origin, locale="de-DE")
    page = context.new_page()
    page.goto(f"{place.portal}/")
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    enter(page, place)
    expect(page.get_by_role("heading", name="Hallo, Example")).to_be_visible()
    page.get_by_role("navigation", name="Mitgliederportal").get_by_role("link", name="Buchen").click()
    page.goto(f"{place.portal}/book/{place.house.resource}?date={ROOM_DAY}")
    choose(page, "09:00")
    expect(page.locator("#price output")).to_have_text(re.compile("15,00\\s€"))
    press(page, "Buchen")
    expect(page.get_by_text("Gebucht. Bis dann!")).to_be_visible()
    expect(page.get_by_role("heading", name="Mo., 15. Feb., 09:00–10:00")).to_be_visible()
    page.get_by_role("contentinfo").or_(page.locator(".foot")).get_by_role("button", name="English").click()
    expect(page.get_by_text("Cancelling now is free.")).to_be_visible()
    context.close()
