"""An owner: from nothing to the first automatic payment, in the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from portal_walks import advance_a_week, furnish, give_plan, press, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_owner_follows_the_checklist_and_sees_the_first_invoice_paid(page: Page) -> None:
    space = furnish(page)
    give_plan(page, space.member_page)
    advance_a_week(page)
    page.goto("/admin/rehearsal")
    page.get_by_label("To any other time").wait_for()
    press(page, "One day on")
    expect(page.get_by_text("The clock has moved.")).to_be_visible(timeout=60_000)
    page.goto("/admin/invoices")
    row = page.get_by_role("row").filter(has_text="INV-").last
    expect(row).to_contain_text("Ada Lindqvist")
    expect(row).to_contain_text("paid")
    page.goto("/admin/getting-paid")
    for step in ("Connect a payment gateway", "Generate invoices automatically", "Test before going live"):
        expect(page.get_by_role("listitem").filter(has_text=step)).to_contain_text("done")
    page.goto("/admin/rehearsal")
    expect(page.get_by_role("main")).to_contain_text("received")


def test_the_short_name_follows_from_the_name_until_it_is_typed(page: Page) -> None:
    page.goto("/sign-up")
    page.get_by_label("Name of your space").press_sequentially("Büro & Café Straße")
    expect(page.get_by_label("Short name for addresses")).to_have_value("buro-cafe-strasse")
    page.get_by_label("Country").select_option("CH")
    expect(page.get_by_label("Currency")).to_have_value("CHF")


def test_a_dry_run_shows_what_the_run_would_make(page: Page) -> None:
    space = furnish(page)
    page.goto("/admin/settings/billing")
    page.get_by_role("switch", name="Generate invoices automatically").uncheck()
    press(page, "Save")
    give_plan(page, space.member_page)
    page.goto("/admin/billing-runs")
    press(page, "Dry run")
    expect(page.get_by_role("heading", name="This is what the run would make")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Ada Lindqvist")
    press(page, "Make 1 invoice")
    expect(page.get_by_role("heading", name="Run up to")).to_be_visible()


def test_the_menu_works_on_a_phone_and_nothing_is_wider_than_it(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_up(page)
    for path in ("/admin/", "/admin/getting-paid", "/admin/members", "/admin/settings/billing", "/admin/rehearsal"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Plans").click()
    expect(page.get_by_role("heading", name="Plans", level=1)).to_be_visible()


def test_an_owner_signs_in_with_the_keyboard_alone(page: Page) -> None:
    slug = sign_up(page)
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_label("Short name of the space").focus()
    for text in (slug, f"owner@{slug}.example", "correct-horse-battery"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
