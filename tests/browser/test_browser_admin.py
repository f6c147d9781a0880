"""What an operator does every day, in the browser: drags, searches, previews, secrets that are shown once."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from footings import Footing
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from portal_walks import PASSWORD, Space, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def monday(page: Page, weeks: int) -> date:
    """So many weeks on by the rehearsal's clock, which the header tells: each test has a week of its own."""
    text = page.locator(".clock time").get_attribute("datetime")
    assert text
    today = datetime.fromisoformat(text).date()
    return today + timedelta(days=7 * weeks - today.weekday())


def pick(page: Page, label: str, typed: str) -> None:
    """Somebody, by typing a part of the name and pressing Enter."""
    field = page.get_by_role("combobox", name=label)
    field.press_sequentially(typed)
    expect(page.locator(".suggestions").get_by_role("option").first).to_be_visible()
    field.press("Enter")


def book(page: Page, day: date, start: str = "09:00", end: str = "10:00") -> None:
    """Ada books the Blue Room."""
    page.goto("/admin/bookings/new")
    page.get_by_label("Room or desk").select_option(label="Blue Room")
    pick(page, "For", "ada")
    page.get_by_label("From", exact=True).fill(f"{day}T{start}")
    page.get_by_label("To", exact=True).fill(f"{day}T{end}")
    press(page, "Book")
    expect(page.get_by_text("Booked.")).to_be_visible()


def have_booked(space: Space, day: date, start: str = "09:00", end: str = "10:00") -> None:
    """The same over the API."""
    room = space.owner.get("/v1/resources?sort=name")["items"][0]["id"]
    times = {name: f"{day}T{time}:00" for name, time in (("start", start), ("end", end))}
    zone = ZoneInfo("Europe/Berlin")
    instants = {name: datetime.fromisoformat(time).replace(tzinfo=zone).isoformat() for name, time in times.items()}
    body = {"resource_id": room, "member_id": space.member, "payment": "on_invoice", **instants}
    space.owner.post("/v1/bookings", body)


def drag(page: Page, thing: Locator, right: float = 0, down: float = 0) -> None:
    """As a hand with a mouse does it."""
    box = thing.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2, steps=4)
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def hour_width(page: Page) -> float:
    """How wide an hour is on the day's board."""
    box, hours = page.locator(".lane").first.bounding_box(), page.locator(".hour").count()
    assert box
    return box["width"] / hours


def test_a_booking_is_dragged_to_another_time_and_a_free_stretch_is_drawn_to_book_it(page: Page, space: Space) -> None:
    page.goto("/admin/account")
    day = monday(page, 1)
    book(page, day)
    page.goto(f"/admin/calendar?date={day}")
    drag(page, page.locator("[data-booking]"), right=2 * hour_width(page))
    expect(page.get_by_role("status").filter(has_text="Moved to")).to_be_visible()
    expect(page.locator("[data-booking]")).to_contain_text("11:00–12:00")
    lane = page.locator(".lane").first
    drag(page, lane, right=hour_width(page))
    expect(page.get_by_role("heading", name="New booking")).to_be_visible()
    start, end = (page.get_by_label(name, exact=True).input_value() for name in ("From", "To"))
    assert timedelta(hours=1) <= datetime.fromisoformat(end) - datetime.fromisoformat(start) <= timedelta(hours=1.25)


def test_a_booking_dragged_onto_another_one_is_refused_and_goes_back(page: Page, space: Space) -> None:
    page.goto("/admin/account")
    day = monday(page, 2)
    have_booked(space, day)
    have_booked(space, day, "11:00", "12:00")
    page.goto(f"/admin/calendar?date={day}")
    first = page.locator("[data-booking]").filter(has_text="09:00–10:00")
    with page.expect_response("**/admin/calendar/moves") as moved:
        drag(page, first, right=2 * hour_width(page))
    assert moved.value.json()["moved"] is False
    expect(page.get_by_role("alert").filter(has_text="Not moved")).to_be_visible()
    expect(first).to_have_css("transform", "none")


def test_a_booking_is_dragged_to_another_day_of_the_week_and_opened_by_keyboard(page: Page, space: Space) -> None:
    page.goto("/admin/account")
    day = monday(page, 3)
    have_booked(space, day)
    page.goto(f"/admin/calendar?view=week&date={day}")
    cell = page.locator(f'td[data-day="{day}"]').bounding_box()
    assert cell
    drag(page, page.locator("[data-booking]"), right=2 * cell["width"])
    expect(page.locator(f'td[data-day="{day + timedelta(days=2)}"] [data-booking]')).to_be_visible()
    page.locator("[data-booking]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Move or change")).to_be_visible()
    expect(page.get_by_role("heading", name="Cancel", exact=True)).to_be_visible()


def test_somebody_is_picked_without_scripts(page: Page, space: Space, chromium: Browser, suite: Footing) -> None:
    context = chromium.new_context(base_url=suite.origin, java_script_enabled=False, locale="en-GB")
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto("/admin/fees/new")
    plain.get_by_label("For", exact=True).fill("nobody of that name")
    plain.get_by_label("Or in your own words").fill("Printing")
    plain.get_by_label("Price optional").fill("5")
    press(plain, "Save")
    expect(plain.get_by_text("Nobody of that name was found.")).to_be_visible()
    plain.get_by_label("For", exact=True).fill("lindq")
    press(plain, "Save")
    expect(plain.get_by_text("It goes onto the next invoice.")).to_be_visible()
    expect(plain.get_by_role("main")).to_contain_text("Ada Lindqvist")
    context.close()


def test_a_mail_is_reworded_with_a_preview_and_put_back(page: Page, space: Space) -> None:
    page.goto("/admin/notification-templates/receipt/en")
    preview = page.frame_locator("iframe[name=preview]")
    expect(preview.locator("strong").first).to_contain_text("Receipt")
    page.get_by_label("Subject").fill("Thank you, {{ recipient.name }}")
    expect(preview.locator("strong").first).to_contain_text("Thank you, Example Member")
    press(page, "Save")
    expect(page.get_by_text("Saved. From now on mails say this.")).to_be_visible()
    press(page, "Back to the standard words")
    expect(page.get_by_text("The standard words are back.")).to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value(re.compile("Receipt"))


def test_a_wording_that_does_not_work_is_refused_beside_its_field(page: Page, space: Space) -> None:
    page.goto("/admin/notification-templates/receipt/en")
    page.get_by_label("Message (HTML)").fill("<p>{{ nonsense }}</p>")
    press(page, "Save")
    expect(page.locator("#html-fault")).to_contain_text("nonsense")


def test_an_endpoint_shows_its_secret_once_and_can_be_switched_off(page: Page, space: Space) -> None:
    page.goto("/admin/webhook-endpoints/new")
    page.get_by_label("Address").fill("https://door.example/hook")
    page.get_by_label("Only certain events").check()
    page.get_by_label("Booking made").check()
    press(page, "Save")
    secret = page.locator("code.secret").inner_text()
    assert len(secret) > 20
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("main")).to_contain_text("Booking made")
    assert secret not in page.content()
    press(page, "Switch off")
    expect(page.get_by_role("main")).to_contain_text("switched off")


def test_a_promo_code_is_made_changed_and_archived(page: Page, space: Space) -> None:
    page.goto("/admin/promo-codes/new")
    page.get_by_label("Code").fill("FRIENDS")
    page.get_by_label("Percentage", exact=True).fill("10")
    page.get_by_label("Uses in all").fill("5")
    page.get_by_label("Bookings", exact=True).check()
    press(page, "Save")
    row = page.get_by_role("row").filter(has_text="FRIENDS")
    expect(row).to_contain_text("10 %")
    row.get_by_role("link").click()
    page.get_by_label("An amount").check()
    page.get_by_label("Amount", exact=True).fill("7.50")
    press(page, "Save")
    expect(row).to_contain_text("€7.50")
    press(page, "Archive")
    expect(page.get_by_text("The code works no more.")).to_be_visible()


def test_a_room_gets_a_picture_and_a_cancellation_policy_in_steps(page: Page, space: Space) -> None:
    page.goto("/admin/resources")
    page.get_by_role("main").get_by_role("link", name="Blue Room").click()
    page.get_by_label("Free until").fill("48")
    page.get_by_label("Afterwards it costs").fill("50")
    page.get_by_label("Then, from").fill("24")
    page.get_by_label("it costs", exact=False).nth(1).fill("100")
    press(page, "Save")
    page.get_by_role("main").get_by_role("link", name="Blue Room").click()
    expect(page.get_by_label("Then, from")).to_have_value("24")
    page.get_by_label("Add a picture").set_input_files({"name": "room.png", "mimeType": "image/png", "buffer": a_png()})
    page.locator("#picture-alt").fill("A table by the window")
    press(page, "Send up")
    picture = page.get_by_role("img", name="A table by the window")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0
    press(page, "Remove")
    expect(page.get_by_text("The picture is removed.")).to_be_visible()


def a_png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (320, 240), "teal").save(out, "PNG")
    return out.getvalue()


def test_a_front_desk_sees_no_settings_that_it_may_not_change(page: Page, space: Space) -> None:
    page.goto("/admin/team")
    page.get_by_label("Name").fill("Front Desk")
    page.get_by_label("E-mail address").fill(f"desk@{space.slug}.example")
    press(page, "Invite")
    page.goto("/admin/notifications")
    page.get_by_role("main").get_by_role("link", name=re.compile("invited", re.IGNORECASE)).first.click()
    link = page.frame_locator("iframe").locator("a[href*='/invitation?']").first.get_attribute("href")
    assert link
    page.context.clear_cookies()
    page.goto(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_label("Choose a password").fill(PASSWORD)
    press(page, "Come in")
    menu = page.get_by_role("navigation", name="Admin Portal")
    expect(menu.get_by_role("link", name="Members", exact=True)).to_be_visible()
    for hidden in ("Team", "API keys", "Webhooks", "Audit log"):
        expect(menu.get_by_role("link", name=hidden)).to_have_count(0)
