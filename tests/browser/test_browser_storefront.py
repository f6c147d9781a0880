"""A stranger on the storefront: rooms and passes, a declined card, a hold that runs out, Stripe's element, a frame."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from footings import Footing
from playwright.sync_api import Browser, Page, Route, expect
from portal_people import ROOM_DAY, Place, enter, open_place
from portal_walks import press
from story import euro
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import GatewayAnswer, HttpGateway

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def choose_room(page: Page, place: Place) -> None:
    """The Blue Room from nine, with its price, into the basket."""
    page.goto(f"{place.hub}/rooms/{place.house.resource}?date={ROOM_DAY}")
    page.get_by_role("main").locator(".slots label", has_text="09:00").click()
    expect(page.locator("#price output")).to_have_text("€15.00")
    press(page, "On to your details")


def fill_in(page: Page) -> None:
    """Who the stranger is."""
    page.get_by_label("Name", exact=True).fill("Example Guest")
    page.get_by_label("E-mail address").fill("guest@example.com")
    press(page, "On to the payment")
    expect(page.get_by_role("heading", name="Payment", exact=True)).to_be_visible()


def pay(page: Page, card: str, amount: str) -> None:
    """With a card of the sandbox."""
    page.get_by_label("A sandbox card that …").select_option(card)
    press(page, f"Pay {amount}")


def test_a_card_that_the_bank_asks_about_is_confirmed_there_and_leads_back(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    choose_room(page, place)
    fill_in(page)
    pay(page, "sandbox_3ds", "€15.00")
    bought = page.url
    page.get_by_role("link", name="To the payment page").click()
    expect(page.get_by_role("heading", name="Confirm your payment")).to_be_visible()
    page.get_by_role("link", name="Back to where you came from").click()
    assert page.url.rstrip("?") == bought.rstrip("?")
    page.get_by_role("link", name="To the payment page").click()
    press(page, "Confirm")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert page.url.partition("?")[0] == bought.partition("?")[0]


def test_a_stranger_buys_a_room_and_a_day_pass_at_once_after_a_declined_card(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    choose_room(page, place)
    page.get_by_role("link", name="Add something more").click()
    page.get_by_role("link", name=re.compile("Buy.*Day pass")).click()
    page.get_by_role("link", name="One more: Day pass").click()
    expect(page.get_by_role("region", name="Your basket")).to_contain_text("€65.00")
    fill_in(page)
    expect(page.get_by_role("main")).to_contain_text("Kept for you for")
    pay(page, "sandbox_declined", "€65.00")
    expect(page.get_by_role("alert")).to_have_text("The payment did not go through: declined by the bank.")
    pay(page, "sandbox_ok", "€65.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("All is arranged")
    expect(page.get_by_role("main")).to_contain_text("Mon 15 Feb, 09:00–10:00")


def sell_extras(place: Place) -> None:
    """Coffee and a projector for the Blue Room."""
    (rate,) = place.house.api.get("/v1/resource-rates")["items"]
    coffee = {"code": "coffee", "name": "Coffee", "price": euro(450)}
    projector = {"code": "projector", "name": "Projector", "price": euro(1500)}
    place.house.api.patch(f"/v1/resource-rates/{rate['id']}", {"extras": [coffee, projector]})


def test_a_stranger_books_two_coffees_along_and_pays_what_the_room_page_said(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    sell_extras(place)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{place.hub}/rooms/{place.house.resource}?date={ROOM_DAY}")
    page.get_by_role("main").locator(".slots label", has_text="09:00").click()
    page.get_by_label("Coffee").fill("lots")
    press(page, "On to your details")
    expect(page.locator("#extra-coffee-fault")).to_have_text("Please write a number.")
    page.get_by_label("Coffee").fill("2")
    expect(page.locator("#price output")).to_have_text("€24.00")
    expect(page.locator("#price")).to_contain_text("Coffee: €9.00.")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    press(page, "On to your details")
    basket = page.get_by_role("region", name="Your basket")
    expect(basket).to_contain_text("Coffee × 2")
    expect(basket).to_contain_text("€24.00")
    fill_in(page)
    expect(page.get_by_role("main")).to_contain_text("Coffee × 2")
    pay(page, "sandbox_ok", "€24.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Coffee × 2")


def test_a_hold_that_ran_out_is_told_and_tried_once_more(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    choose_room(page, place)
    fill_in(page)
    place.house.api.advance("2027-02-01T08:11:00Z")
    pay(page, "sandbox_ok", "€15.00")
    expect(page.get_by_role("heading", name="The time ran out")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Nothing was charged")
    page.get_by_role("link", name="Try once more").click()
    fill_in(page)
    pay(page, "sandbox_ok", "€15.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_promo_code_makes_a_room_cheaper(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    place.house.api.post("/v1/promo-codes", {"code": "HALF", "percent": "50"})
    choose_room(page, place)
    page.get_by_label("Promo code").fill("nonsense")
    page.get_by_label("Name", exact=True).fill("Example Guest")
    page.get_by_label("E-mail address").fill("guest@example.com")
    press(page, "On to the payment")
    expect(page.locator("#promo_code-fault")).to_be_visible()
    page.get_by_label("Promo code").fill("half")
    fill_in(page)
    pay(page, "sandbox_ok", "€7.50")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_member_signs_in_on_the_way_and_pays_with_the_saved_card(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    place.house.api.patch("/v1/storefront-settings", {"purchase_flow": {"member": "pay_now"}})
    page.goto(f"{place.hub}/checkout?item={place.day_pass}")
    link = page.get_by_role("main").get_by_role("link", name="Sign in").get_attribute("href")
    assert link
    enter(page, place, link)
    expect(page.get_by_text("You buy as Example Member.")).to_be_visible()
    press(page, "On to the payment")
    page.get_by_label("With", exact=True).select_option(label="Visa •••• 4242")
    press(page, "Pay €25.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_without_scripts_a_stranger_comes_to_the_payment_and_pays(
    page: Page, chromium: Browser, suite: Footing
) -> None:
    place = open_place(suite.origin)
    context = chromium.new_context(base_url=suite.origin, java_script_enabled=False)
    plain = context.new_page()
    sell_extras(place)
    plain.goto(f"{place.hub}/")
    expect(plain.get_by_role("heading", name="Work by the water")).to_be_visible()
    plain.goto(f"{place.hub}/rooms/{place.house.resource}?date={ROOM_DAY}")
    plain.get_by_role("main").locator(".slots label", has_text="09:00").click()
    plain.get_by_label("Coffee").fill("2")
    press(plain, "On to your details")
    expect(plain.get_by_role("main")).to_contain_text("Coffee × 2")
    press(plain, "On to the payment")
    expect(plain.get_by_text("Please fill this in.").first).to_be_visible()
    fill_in(plain)
    pay(plain, "sandbox_ok", "€24.00")
    expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()


def test_a_named_site_shows_the_storefront_in_a_frame_and_buying_leaves_it(page: Page, suite: Footing) -> None:
    place = open_place(suite.origin)
    with own_site(f"{suite.origin}{place.hub}/?embed=1") as site:
        place.house.api.patch("/v1/storefront-settings", {"embed_origins": [site]})
        page.goto(site)
        framed = page.frame_locator("iframe")
        expect(framed.get_by_role("heading", name="Work by the water")).to_be_visible()
        with page.context.expect_page() as opened:
            framed.get_by_role("link", name=re.compile("Buy.*Day pass")).click()
        expect(opened.value.get_by_role("heading", name="Your details")).to_be_visible()
        opened.value.close()


@contextmanager
def own_site(framed: str) -> Iterator[str]:
    """A site of the house's own, with a page in another's frame; its address."""
    page = Response(f'<title>Our site</title><iframe title="Rooms" width="900" height="900" src="{framed}"></iframe>')
    page.mimetype = "text/html"
    with served(page) as address:
        yield address


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An app on a port of its own; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class StripeGateway(HttpGateway):
    """The suite's gateway, whose checkouts are to be paid with Stripe; what its element saved pays as a good card."""

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """See `portal.gateway.Gateway.send`."""
        if path.endswith("/payment"):
            assert body == {}, "nothing about a card comes past the portal"
            body = {"token": "sandbox_ok"}
        answer = super().send(method, path, query=query, body=body, headers=headers)
        shown = b'"provider": "stripe", "client_secret": "seti_1_secret", "publishable_key": "pk_test_1", "url": null'
        changed = re.sub(rb'("payment":\s*\{)[^{}]+\}', rb"\g<1>" + shown + b"}", answer.body)
        return GatewayAnswer(answer.status, answer.headers, changed if "/checkouts/" in path else answer.body)


@pytest.fixture
def with_stripe(suite: Footing) -> Iterator[str]:
    """The portal on that gateway; its address."""
    app = create_portal_app(PortalSettings(secret="a secret of this test, long enough"), StripeGateway(suite.origin))
    with served(app) as address:
        yield address


STUB = """
window.Stripe = (key) => ({
  elements: ({ clientSecret }) => ({
    create: () => ({
      on: (name, then) => { if (name === "ready") setTimeout(then, 0); },
      mount: (place) => { document.querySelector(place).textContent = `${key} ${clientSecret}`; },
    }),
  }),
  confirmSetup: async () => (window.tries = (window.tries || 0) + 1) > 1
    ? {} : { error: { message: "Your card number is incomplete." } },
});
"""


def test_stripes_element_takes_the_card_and_the_portal_sees_nothing_of_it(
    page: Page, suite: Footing, with_stripe: str
) -> None:
    place = open_place(suite.origin)
    page.route("https://js.stripe.com/**", stub)
    page.goto(f"{with_stripe}{place.hub}/checkout?item={place.day_pass}")
    fill_in(page)
    expect(page.locator("#payment-element")).to_have_text("pk_test_1 seti_1_secret")
    press(page, "Pay €25.00")
    expect(page.get_by_role("alert")).to_have_text("Your card number is incomplete.")
    press(page, "Pay €25.00")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    # The server of this test goes away with it.
    page.wait_for_load_state("networkidle")


def stub(route: Route) -> None:
    route.fulfill(body=STUB, content_type="text/javascript")
