"""By keyboard alone: focus is always seen, goes as the eye does, and comes back from menus."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from footings import Footing
from playwright.sync_api import Page, expect
from portal_people import ROOM_DAY, enter, join, open_place
from portal_walks import PASSWORD, Space

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
# A radio button that is drawn as its label shows its focus there; of a date the last stop is the browser's own button.
FOCUS = """() => {
  const here = document.activeElement;
  const seen = here.matches(".btn-check") ? here.labels[0] : here;
  const isBrowsers = here.matches("input[type^=date]") && !here.matches(":focus");
  const box = seen.getBoundingClientRect(), style = getComputedStyle(seen);
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: (here.getAttribute("aria-label") || here.labels?.[0]?.innerText || here.innerText || here.name || "").trim(),
    tag: here.tagName, main: Boolean(here.closest("main")),
    seen: isBrowsers || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    covered: !above || !(seen.contains(above) || above.contains(seen)),
    top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left, right: box.right,
  };
}"""


def focused(page: Page) -> Any:
    """What has the focus, and whether one sees it."""
    return page.evaluate(FOCUS)


def stops(page: Page, path: str) -> list[Any]:
    """Everything that Tab leads to on a page, from its beginning to its end."""
    # Else the page glides to what has the focus, and is looked at on the way.
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)
    found: list[Any] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        stop = focused(page)
        if stop["tag"] == "BODY" or (len(found) > 1 and stop == found[0]):
            return found
        found.append(stop)
    raise AssertionError(f"no end of {path}")


def faults(page: Page, path: str) -> list[str]:
    """Stops that one does not see, and steps back: up, and not into a column further right."""
    found = stops(page, path)
    assert sum(stop["main"] for stop in found) > 1, path
    unseen = [f"{path}: {stop['name']} is not seen" for stop in found if not stop["seen"] or stop["covered"]]
    inside = [stop for stop in found if stop["main"]]
    back = [(a, b) for a, b in pairwise(inside) if b["bottom"] <= a["top"] and b["left"] < a["right"]]
    return unseen + [f"{path}: from {a['name']} back to {b['name']}" for a, b in back]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until that is reached."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if focused(page)["name"].startswith(name):
            return
    raise AssertionError(f"no Tab leads to {name}")


def press_by_key(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def test_staff_sign_in_by_keyboard_skip_the_menu_and_come_back_from_their_own(page: Page, shared_space: Space) -> None:
    assert faults(page, "/sign-in") == []
    page.goto("/sign-in")
    for name, text in (
        ("Short name", shared_space.slug), ("E-mail", f"owner@{shared_space.slug}.example"), ("Password", PASSWORD)
    ):  # fmt: skip
        tab_to(page, name)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page)["name"] == "To the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page)["main"]
    page.reload()
    tab_to(page, "Your account")
    page.keyboard.press("Enter")
    expect(page.locator("#own-menu")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#own-menu') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("#own-menu")).to_be_hidden()
    assert focused(page)["name"] == "Your account"


def test_a_question_that_is_answered_with_no_gives_the_focus_back(page: Page, space: Space) -> None:
    # On a page of its own, where nobody says yes to it.
    asked = page.context.new_page()
    asked.goto(space.member_page)
    press_by_key(asked, "Archive member")
    assert focused(asked)["name"] == "Archive member"
    assert asked.url.endswith(space.member_page)


def test_the_calendar_goes_room_by_room_and_waits_for_whoever_types_a_day(page: Page, space: Space) -> None:
    api = space.owner
    first = api.get("/v1/resources?sort=name")["items"][0]
    room = {"name": "Zenith", "type": "meeting_room", "location_id": first["location_id"], "is_free": True}
    last = api.post("/v1/resources", room)
    now = datetime.fromisoformat(api.get("/v1/organization/clock")["now"])
    day = (now + timedelta(days=60)).date()
    for resource in (last, first):
        times = {"start": f"{day}T10:00:00Z", "end": f"{day}T11:00:00Z"}
        body = {"resource_id": resource["id"], "member_id": space.member, "payment": "on_invoice", **times}
        api.post("/v1/bookings", body)
    path = f"/admin/calendar?date={day}"
    assert faults(page, path) == []
    assert faults(page, f"{path}&view=week") == []
    names = [stop["name"] for stop in stops(page, path)]
    booked = [name.split("\n")[0] for name in names[names.index("Bookings of the day") :]]
    assert booked[1:5] == [f"Book {first['name']}", "Ada Lindqvist", "Book Zenith", "Ada Lindqvist"]
    page.goto(path)
    tab_to(page, "The day before")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert page.url.endswith(path)
    press_by_key(page, "Show")
    expect(page.get_by_label("Day", exact=True)).not_to_have_value(str(day))


def test_a_member_pays_now_by_keyboard_and_sees_the_focus_all_the_way(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    _membership, invoice = join(place)
    enter(page, place)
    paying = f"{place.portal}/invoices/{invoice}"
    for path in (
        f"{place.portal}/book?date={ROOM_DAY}",
        f"{place.portal}/book/{place.house.resource}?date={ROOM_DAY}",
        paying,
    ):
        assert faults(page, path) == []
    page.goto(paying)
    press_by_key(page, "Pay Now")
    expect(page.get_by_text("Paid. Thank you!")).to_be_visible()


def test_a_stranger_buys_a_room_by_keyboard_and_sees_the_focus_all_the_way(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    room = f"{place.hub}/rooms/{place.house.resource}?date={ROOM_DAY}"
    for path in (f"{place.hub}/", room, f"{place.hub}/checkout?item={place.day_pass}~2"):
        assert faults(page, path) == []
    page.goto(room)
    tab_to(page, "08:00")
    page.keyboard.press("Space")
    press_by_key(page, "On to your details")
    expect(page.get_by_role("heading", name="Your details", level=1)).to_be_visible()
    for name, text in (("Name", "Example Guest"), ("E-mail", "guest@example.com")):
        tab_to(page, name)
        page.keyboard.type(text)
    press_by_key(page, "On to the payment")
    expect(page.get_by_role("heading", name="Payment", exact=True)).to_be_visible()
    assert faults(page, page.url) == []
    press_by_key(page, "Pay €15.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
