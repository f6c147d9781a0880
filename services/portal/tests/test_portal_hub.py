"""The storefront: anybody looks, chooses, buys, pays; scripts are not needed."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import portal_house
import pytest

ROOM = "/hub/harbour/rooms/res_1?date=2027-02-15"
SLOT = "res_1~2027-02-15T08:00:00Z~2027-02-15T09:00:00Z"
CHECKOUTS = "/v1/storefront/harbour/checkouts"
BUYER = {"customer__name": "Stranger", "customer__email": "stranger@example.com"}


@pytest.mark.parametrize(
    "path",
    [
        "/hub/harbour/",
        ROOM,
        f"{ROOM}&embed=1",
        "/hub/harbour/checkout",
        "/hub/harbour/checkout?item=pln_1",
        "/hub/harbour/checkout?item=pln_2~3",
        f"/hub/harbour/checkout?item={SLOT}&item=pln_2",
        f"/hub/harbour/checkouts/chk_1?item={SLOT}",
    ],
)
def test_storefront_page_is_open_to_strangers(visitor: Any, gateway: Any, path: str) -> None:
    page = visitor.read(path)
    assert "Harbour Works" in page
    assert all("Authorization" not in asked.headers for asked in gateway.asked)
    assert len(gateway.asked) <= 4


def test_storefront_shows_prices_and_is_readable_by_search_engines(visitor: Any) -> None:
    page = visitor.read("/hub/harbour/")
    assert "€300.00" in page
    assert "application/ld+json" in page
    assert "Work by the water" in page


def described(page: str) -> Any:
    found = re.search(r'<script type="application/ld\+json">(.+?)</script>', page)
    assert found
    return json.loads(found[1])


def test_search_engines_learn_prices_and_opening_hours(visitor: Any) -> None:
    shop = described(visitor.read("/hub/harbour/"))
    assert shop["@type"] == "LocalBusiness"
    assert shop["openingHoursSpecification"][0] == {
        "@type": "OpeningHoursSpecification", "dayOfWeek": "Monday", "opens": "08:00", "closes": "18:00",
    }  # fmt: skip
    offers = {offer["itemOffered"]["name"]: offer for offer in shop["makesOffer"]}
    assert (offers["Flex desk"]["price"], offers["Flex desk"]["priceCurrency"]) == ("300.00", "EUR")
    assert offers["Blue Room"]["priceSpecification"][0]["unitCode"] == "HUR"
    assert described(visitor.read(ROOM))["itemOffered"]["name"] == "Blue Room"


def test_a_chosen_time_joins_what_is_in_the_basket(visitor: Any) -> None:
    chosen = "start=2027-02-15T08:00:00Z&minutes=60&date=2027-02-15&item=pln_2"
    answer = visitor.client.get(f"/hub/harbour/rooms/res_1/choice?{chosen}")
    assert unquote(answer.headers["Location"]) == f"/hub/harbour/checkout?item=pln_2&item={SLOT}"


COFFEE = {"code": "coffee~large:1", "name": "Coffee", "price": portal_house.euro(450)}
BEAMER = {"code": "beamer", "name": "Projector", "price": portal_house.euro(1500)}
WITH_COFFEE = f"{SLOT}~2:coffee%7Elarge%3A1"
ORDER = [{"code": "coffee~large:1", "quantity": "2"}]


@pytest.fixture
def extras(gateway: Any) -> None:
    """The Blue Room with coffee for everybody and a projector for strangers."""
    strangers = {**portal_house.RATE, "extras": [BEAMER], "conditions": {"audience": "public"}}
    room = {**portal_house.RESOURCES[0], "rates": [{**portal_house.RATE, "extras": [COFFEE]}, strangers]}
    gateway.answers[("GET", "/v1/storefront/harbour")] = (200, {**portal_house.STOREFRONT, "resources": [room]})


def as_item(text: str) -> str:
    return f"item={quote(text, safe='')}"


def test_a_stranger_chooses_extras_with_their_price(visitor: Any, gateway: Any, extras: None) -> None:
    page = visitor.read(ROOM)
    assert 'name="extra-coffee~large:1"' in page
    assert "€4.50" in page
    assert "Projector" in page
    chosen = "start=2027-02-15T08:00:00Z&minutes=60&date=2027-02-15&extra-beamer=&extra-coffee~large:1=2"
    visitor.read(f"/hub/harbour/rooms/res_1/quote?{chosen}")
    assert gateway.last("POST", "/v1/storefront/harbour/quote").body["extras"] == ORDER
    answer = visitor.client.get(f"/hub/harbour/rooms/res_1/choice?{chosen}&item=pln_2&item={SLOT}")
    items = parse_qs(urlsplit(answer.headers["Location"]).query)["item"]
    assert items == ["pln_2", WITH_COFFEE], "a time that is there already gets the extras"


def test_extras_go_through_the_basket_to_the_checkout_and_the_payment(visitor: Any, gateway: Any, extras: None) -> None:
    page = f"/hub/harbour/checkout?{as_item(WITH_COFFEE)}"
    shown = unescape(visitor.read(page))
    assert "Coffee × 2" in shown
    assert gateway.last("POST", "/v1/storefront/harbour/quote").body["extras"] == ORDER
    answer = visitor.send(page, BUYER)
    assert gateway.last("POST", CHECKOUTS).body["items"][0]["extras"] == ORDER
    assert "Coffee × 2" in visitor.read(answer.headers["Location"])


def test_what_the_api_says_against_an_ordered_extra_stands_beside_it(visitor: Any, gateway: Any, extras: None) -> None:
    refused = {"extras__0__quantity": "Not a decimal string."}
    gateway.refuse("POST", "/v1/storefront/harbour/quote", 422, "invalid", "the request has faults", **refused)
    chosen = "start=2027-02-15T08:00:00Z&minutes=60&date=2027-02-15&extra-beamer=lots"
    page = visitor.read(f"/hub/harbour/rooms/res_1/choice?{chosen}")
    assert 'id="extra-beamer-fault"' in page
    assert "Please write a number." in page
    assert 'name="extra-beamer" value="lots"' in page
    assert "extra-beamer=lots" in page.split("Day before")[0], "another day keeps what was typed"


def test_another_time_for_a_line_begins_with_its_extras(visitor: Any, gateway: Any, extras: None) -> None:
    gateway.answers[("POST", "/v1/storefront/harbour/quote")] = (200, {**portal_house.QUOTE, "available": False})
    page = unescape(visitor.read(f"/hub/harbour/checkout?{as_item(WITH_COFFEE)}"))
    link = re.search(r'href="([^"]+)">Choose another time', page)
    assert link
    assert 'name="extra-coffee~large:1" value="2"' in visitor.read(link[1])


def test_quantities_are_read_and_written_in_german(visitor: Any, gateway: Any, extras: None) -> None:
    german = {"Accept-Language": "de"}
    chosen = "start=2027-02-15T08:00:00Z&minutes=60&date=2027-02-15&extra-beamer=1,5"
    answer = visitor.client.get(f"/hub/harbour/rooms/res_1/choice?{chosen}", headers=german)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["item"] == [f"{SLOT}~1.5:beamer"]
    assert "Projector × 1,5" in visitor.client.get(answer.headers["Location"], headers=german).text
    refused = {"extras__0__quantity": "Not a decimal string."}
    gateway.refuse("POST", "/v1/storefront/harbour/quote", 422, "invalid", "the request has faults", **refused)
    wrong = chosen.replace("1,5", "viele")
    shown = visitor.client.get(f"/hub/harbour/rooms/res_1/choice?{wrong}", headers=german).text
    assert "Bitte geben Sie eine Zahl an." in shown


@pytest.mark.parametrize("order", ["coffee", "x:coffee", "-1:coffee", "1e9:coffee", "2:", "123456:coffee"])
def test_a_time_with_extras_that_cannot_be_read_is_not_in_the_basket(visitor: Any, extras: None, order: str) -> None:
    assert "Your basket is empty" in visitor.read(f"/hub/harbour/checkout?{as_item(f'{SLOT}~{order}')}")


def test_a_price_that_rates_differ_about_is_left_to_the_quote(visitor: Any, gateway: Any) -> None:
    prices = (portal_house.euro(450), portal_house.euro(500), portal_house.euro(500))
    rates = [{**portal_house.RATE, "extras": [{**COFFEE, "price": price}]} for price in prices]
    room = {**portal_house.RESOURCES[0], "rates": rates}
    gateway.answers[("GET", "/v1/storefront/harbour")] = (200, {**portal_house.STOREFRONT, "resources": [room]})
    page = visitor.read(ROOM)
    assert page.count('name="extra-coffee~large:1"') == 1
    assert "€4.50" not in page
    assert "€5.00" not in page


def test_extras_that_are_for_strangers_alone_are_not_offered_to_a_member(member: Any, extras: None) -> None:
    page = member.read(ROOM)
    assert 'name="extra-coffee~large:1"' in page
    assert "Projector" not in page


def test_a_time_that_is_not_free_is_refused_by_the_page(visitor: Any) -> None:
    page = visitor.read("/hub/harbour/rooms/res_1/choice?start=2027-02-15T18:00:00Z&minutes=60&date=2027-02-15")
    assert 'id="start-fault"' in page


def test_links_carry_the_basket_and_buying_once_more_counts(visitor: Any) -> None:
    page = unescape(visitor.read("/hub/harbour/?item=pln_2"))
    assert "/hub/harbour/rooms/res_1?item=pln_2" in page
    assert "/hub/harbour/checkout?item=pln_2~2" in unquote(page)


def slots(count: int) -> list[str]:
    return [f"res_1~2027-02-15T{8 + number:02}:00:00Z~2027-02-15T{9 + number:02}:00:00Z" for number in range(count)]


def test_a_basket_holds_as_many_items_as_a_checkout_takes(visitor: Any, gateway: Any) -> None:
    page = "/hub/harbour/checkout?" + "&".join(f"item={slot}" for slot in slots(10))
    visitor.send(page, BUYER)
    assert len(gateway.last("POST", CHECKOUTS).body["items"]) == 10


def test_an_item_too_many_is_refused_with_a_word_and_the_basket_stays(visitor: Any) -> None:
    basket = "&".join(f"item={slot}" for slot in slots(10))
    chosen = "start=2027-02-15T08:30:00Z&minutes=30&date=2027-02-15"
    answer = visitor.client.get(f"/hub/harbour/rooms/res_1/choice?{chosen}&{basket}", follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "Your basket is full" in page
    assert page.count('class="row-flow basket-links"') == 10


def test_what_is_in_a_full_basket_already_can_still_be_counted_up(visitor: Any) -> None:
    basket = "&".join(f"item={slot}" for slot in slots(9))
    page = unquote(unescape(visitor.read(f"/hub/harbour/?item=pln_2&{basket}")))
    assert "/hub/harbour/checkout?item=pln_2~2" in page
    assert "item=pln_1" not in page
    assert "Your basket is full" in page


def test_buying_makes_a_checkout_of_what_stands_in_the_address(visitor: Any, gateway: Any) -> None:
    page = f"/hub/harbour/checkout?item={SLOT}&item=pln_2~2&item=pln_1"
    answer = visitor.send(page, {**BUYER, "promo_code": "WELCOME", "start_date": "2027-03-01"})
    assert unquote(answer.headers["Location"]).startswith(f"/hub/harbour/checkouts/chk_1?item={SLOT}&item=pln_2~2")
    asked = gateway.last("POST", CHECKOUTS)
    times = {"start": "2027-02-15T08:00:00Z", "end": "2027-02-15T09:00:00Z"}
    assert asked.body == {
        "items": [
            {"kind": "booking", "resource_id": "res_1", **times},
            {"kind": "plan", "plan_id": "pln_2", "quantity": "2"},
            {"kind": "plan", "plan_id": "pln_1", "quantity": "1", "start_date": "2027-03-01"},
        ],
        "customer": {"name": "Stranger", "email": "stranger@example.com"},
        "promo_code": "WELCOME",
    }
    assert asked.headers["Idempotency-Key"]


@pytest.mark.parametrize("item", ["res_1", "res_1~x~y", "res_1~2027-02-15T09:00:00Z~2027-02-15T08:00:00Z", "pln_9"])
def test_what_is_not_on_sale_or_cannot_be_read_is_not_in_the_basket(visitor: Any, item: str) -> None:
    assert "Your basket is empty" in visitor.read(f"/hub/harbour/checkout?item={item}")


def test_a_refused_promo_code_stands_beside_its_field(visitor: Any, gateway: Any) -> None:
    gateway.refuse("POST", CHECKOUTS, 422, "promo_code_unknown", "look again", promo_code="there is no such code")
    answer = visitor.send("/hub/harbour/checkout?item=pln_2", {**BUYER, "promo_code": "NO"})
    page = answer.get_data(as_text=True)
    assert 'id="promo_code-fault"' in page
    assert "There is no such code" in page


def test_a_time_that_was_taken_meanwhile_is_told_with_a_way_on(visitor: Any, gateway: Any) -> None:
    gateway.answers[("POST", "/v1/storefront/harbour/quote")] = (200, {**portal_house.QUOTE, "available": False})
    page = visitor.read(f"/hub/harbour/checkout?item={SLOT}")
    assert "That time has just been taken." in page
    assert "Choose another time" in page


def test_a_member_who_has_signed_in_buys_as_one(visitor: Any, gateway: Any) -> None:
    gateway.answers[("GET", "/v1/me")] = (200, portal_house.MEMBER_ME)
    door = "/sign-in?organization=harbour&next=/hub/harbour/checkout%3Fitem%3Dpln_2"
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    answer = visitor.send(door, form)
    assert answer.headers["Location"] == "/hub/harbour/checkout?item=pln_2"
    assert gateway.last("POST", "/v1/tokens").body["side"] == "member"
    page = visitor.read("/hub/harbour/checkout?item=pln_2")
    assert "You buy as Ada Lindqvist." in page
    assert 'name="customer__name"' not in page
    visitor.send("/hub/harbour/checkout?item=pln_2", {})
    asked = gateway.last("POST", CHECKOUTS)
    assert "customer" not in asked.body
    assert asked.headers["Authorization"] == "Bearer access-1"
    assert "Visa •••• 4242" in visitor.read("/hub/harbour/checkouts/chk_1")
    visitor.send("/hub/harbour/checkouts/chk_1", {"payment_method_id": "pmt_1"})
    assert gateway.last("POST", f"{CHECKOUTS}/chk_1/payment").body == {"payment_method_id": "pmt_1"}


def policy(answer: Any) -> dict[str, str]:
    parts = (part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    return dict(parts)


def test_only_the_sites_that_the_house_names_may_frame_the_embedded_storefront(visitor: Any, gateway: Any) -> None:
    settings = {**portal_house.STOREFRONT["storefront"], "embed_origins": ["https://www.harbour.example"]}
    gateway.answers[("GET", "/v1/storefront/harbour")] = (200, {**portal_house.STOREFRONT, "storefront": settings})
    for path in ("/hub/harbour/?embed=1", f"{ROOM}&embed=1"):
        assert policy(visitor.client.get(path))["frame-ancestors"] == "https://www.harbour.example"
    for path in ("/hub/harbour/", ROOM, "/hub/harbour/checkout?item=pln_2", "/hub/harbour/checkouts/chk_1"):
        assert policy(visitor.client.get(path))["frame-ancestors"] == "'none'"
    framed = visitor.read("/hub/harbour/?embed=1")
    assert 'target="_blank">Buy' in framed
    assert "embed=1" in visitor.read("/hub/harbour/?embed=1").split("See free times")[0]


def test_without_named_sites_nobody_may_frame_it(visitor: Any) -> None:
    assert policy(visitor.client.get("/hub/harbour/?embed=1"))["frame-ancestors"] == "'none'"


def test_stripes_element_is_on_the_payment_page_when_stripe_takes_the_money(visitor: Any, gateway: Any) -> None:
    payment = {"provider": "stripe", "client_secret": "seti_secret", "publishable_key": "pk_test", "url": None}
    gateway.answers[("GET", f"{CHECKOUTS}/chk_1")] = (200, {**portal_house.CHECKOUT, "payment": payment})
    answer = visitor.client.get("/hub/harbour/checkouts/chk_1")
    assert policy(answer)["script-src"].startswith("'self' https://js.stripe.com")
    page = answer.get_data(as_text=True)
    assert 'data-key="pk_test"' in page
    assert '<script src="https://js.stripe.com/v3/" defer></script>' in page
    assert "sandbox_ok" not in page
    assert "stripe" not in visitor.client.get("/hub/harbour/").headers["Content-Security-Policy"]
    visitor.send("/hub/harbour/checkouts/chk_1", {})
    assert gateway.last("POST", f"{CHECKOUTS}/chk_1/payment").body == {}


def test_whoever_comes_back_from_the_bank_pays_with_what_was_entered(visitor: Any, gateway: Any) -> None:
    back = "/hub/harbour/checkouts/chk_1/returned?item=pln_2"
    answer = visitor.client.get(f"{back}&redirect_status=succeeded")
    assert answer.headers["Location"] == "/hub/harbour/checkouts/chk_1?item=pln_2"
    assert gateway.last("POST", f"{CHECKOUTS}/chk_1/payment").body == {}
    gateway.asked.clear()
    visitor.client.get(f"{back}&redirect_status=failed")
    assert not [asked for asked in gateway.asked if asked.method == "POST"]
    assert "Please try again, or another card." in visitor.read("/hub/harbour/checkouts/chk_1")


def test_paying_sends_the_sandbox_token(visitor: Any, gateway: Any) -> None:
    visitor.send("/hub/harbour/checkouts/chk_1", {"token": "sandbox_ok"})
    assert gateway.last("POST", "/v1/storefront/harbour/checkouts/chk_1/payment").body == {"token": "sandbox_ok"}


@pytest.mark.parametrize(("state", "words"), [("confirmed", "Thank you"), ("expired", "The time ran out")])
def test_the_end_of_a_checkout_is_told(visitor: Any, gateway: Any, state: str, words: str) -> None:
    gateway.answers[("GET", f"{CHECKOUTS}/chk_1")] = (200, {**portal_house.CHECKOUT, "state": state})
    page = visitor.read(f"/hub/harbour/checkouts/chk_1?item={SLOT}")
    assert words in page
    assert ("Try once more" in page) is (state == "expired")


def test_paying_too_late_says_so_once(visitor: Any, gateway: Any) -> None:
    gateway.refuse("POST", f"{CHECKOUTS}/chk_1/payment", 409, "checkout_expired", "the time to pay is over")
    visitor.send("/hub/harbour/checkouts/chk_1", {"token": "sandbox_ok"})
    gateway.answers[("GET", f"{CHECKOUTS}/chk_1")] = (200, {**portal_house.CHECKOUT, "state": "expired"})
    page = visitor.read("/hub/harbour/checkouts/chk_1")
    assert "The time ran out" in page
    assert "the time to pay is over" not in page.lower()


def test_an_unknown_storefront_is_a_kind_404(visitor: Any) -> None:
    assert visitor.client.get("/hub/nowhere/").status_code == 404


def test_the_owner_finds_what_to_put_into_a_page_of_their_own_site(owner: Any, gateway: Any) -> None:
    page = unescape(owner.read("/admin/storefront"))
    assert '<iframe src="http://localhost/hub/harbour/?embed=1" title="Harbour Works"' in unescape(page)
    owner.send(
        "/admin/storefront", {"headline": "Hi", "embed_origins": "https://www.harbour.example, https://a.example"}
    )
    asked = gateway.last("PATCH", "/v1/storefront-settings").body
    assert asked["embed_origins"] == ["https://www.harbour.example", "https://a.example"]
