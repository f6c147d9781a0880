"""The page of the mail's link in Chromium, under its own strict policy, with Stripe's script stubbed at the network."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from payments_house import House
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from stripe_house import StripeHouse
from werkzeug.serving import make_server

CHROMIUM = "/usr/bin/chromium"
_QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync".split()
# What Stripe's script does as far as the page goes: it opens its frame, asks its API, and answers.
STUB = """
window.Stripe = (key) => {
  const called = (name) => async (...told) => {
    const frame = document.createElement("iframe");
    frame.src = "https://js.stripe.com/v3/three-ds-2-challenge.html";
    document.body.append(frame);
    const answer = await fetch("https://api.stripe.com/v1/confirm", {
      method: "POST", body: JSON.stringify({ key, name, told: name === "confirmPayment" ? [] : told }) });
    return answer.json();
  };
  const element = { mount: (place) => { document.querySelector(place).textContent = "the provider's own fields"; } };
  return { elements: (told) => ({ create: () => element, told }), confirmCardPayment: called("confirmCardPayment"),
    confirmPayment: called("confirmPayment"), handleNextAction: called("handleNextAction") };
};
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; skipped with the reason when it is missing, an error when CI is true."""
    if shutil.which(CHROMIUM) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing")
        pytest.skip(f"{CHROMIUM} is missing (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The service at an address of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Visit:
    """A page with Stripe's addresses answered here; keeps what was asked, and what the console complained of."""

    def __init__(self, page: Page, answer: dict[str, Any], stripe_house: StripeHouse | None = None) -> None:
        self.page, self.asked, self.complaints = page, list[Any](), list[str]()
        self._answer, self._stripe = answer, stripe_house
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("https://js.stripe.com/v3/", lambda r: r.fulfill(body=STUB, content_type="text/javascript"))
        page.route("https://js.stripe.com/v3/three-ds*", lambda r: r.fulfill(body="<p>bank</p>"))
        page.route("https://api.stripe.com/**", self._confirm)

    def _confirm(self, route: Route) -> None:
        self.asked.append(route.request.post_data_json)
        if self._stripe is not None and "error" not in self._answer:
            intent = self._stripe.double._of("payment_intent")[0]["id"]
            self._stripe.double.authenticate(intent, succeeded=True)
        route.fulfill(json=self._answer, headers={"Access-Control-Allow-Origin": "*"})


def waiting(house: House, body: dict[str, Any]) -> str:
    """The link's path of a payment that waits for its member."""
    invoice = house.issue(4500, due="2027-02-19")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", body).json
    assert made["state"] == "action_required", made
    return str(made["action"]["url"].removeprefix("http://localhost:8000"))


def state(house: House) -> str:
    """Of the only payment."""
    (payment,) = house.owner.get("/v1/payments").json["items"]
    return str(payment["state"])


def test_a_member_confirms_with_their_bank_and_the_payment_succeeds_without_any_webhook(
    app: Any, stripe_house: StripeHouse, chromium: Browser
) -> None:
    house = stripe_house.house
    path = waiting(house, {"payment_method_id": stripe_house.save_method("authentication")})
    with served(app) as origin:
        visit = Visit(chromium.new_page(), {"paymentIntent": {"status": "succeeded"}}, stripe_house)
        visit.page.goto(f"{origin}{path}")
        expect(visit.page.get_by_role("main")).to_contain_text("45.00 EUR")
        with visit.page.expect_response(lambda answer: answer.request.method == "POST" and origin in answer.url):
            visit.page.get_by_role("button", name="Go to my bank").click()
        expect(visit.page.get_by_role("status")).to_have_text("Thank you, your payment is confirmed.")
        assert state(house) == "succeeded"
        (asked,) = visit.asked
        assert (asked["key"], asked["name"]) == ("pk_test_double", "confirmCardPayment")
        assert asked["told"][1]["payment_method"].startswith("pm_")
        visit.page.reload()
        expect(visit.page.get_by_role("status")).to_contain_text("Nothing is left to confirm")
        assert visit.complaints == []
        visit.page.close()


def test_a_bank_that_says_no_is_told_and_may_be_asked_again(
    app: Any, stripe_house: StripeHouse, chromium: Browser
) -> None:
    path = waiting(stripe_house.house, {"payment_method_id": stripe_house.save_method("authentication")})
    with served(app) as origin:
        visit = Visit(chromium.new_page(), {"error": {"message": "Your bank did not confirm it."}})
        visit.page.goto(f"{origin}{path}")
        button = visit.page.get_by_role("button", name="Go to my bank")
        button.click()
        expect(visit.page.get_by_role("status")).to_have_text("Your bank did not confirm it.")
        expect(button).to_be_enabled()
        assert (state(stripe_house.house), visit.complaints) == ("action_required", [])
        visit.page.close()


def test_a_guest_enters_a_card_in_the_providers_element_on_the_same_page(
    app: Any, stripe_house: StripeHouse, chromium: Browser
) -> None:
    house = stripe_house.house
    house.owner.delete("/v1/payment-gateways/" + sandbox(house))
    path = waiting(house, {"new_method": True})
    (payment,) = house.owner.get("/v1/payments").json["items"]
    assert payment["action"]["publishable_key"] == "pk_test_double", "and other clients mount the element themselves"
    with served(app) as origin:
        visit = Visit(chromium.new_page(), {"paymentIntent": {"status": "succeeded"}}, stripe_house)
        visit.page.goto(f"{origin}{path}")
        expect(visit.page.get_by_text("the provider's own fields")).to_be_visible()
        visit.page.get_by_role("button", name="Pay").click()
        expect(visit.page.get_by_role("status")).to_have_text("Thank you, your payment is confirmed.")
        assert ([asked["name"] for asked in visit.asked], visit.complaints) == (["confirmPayment"], [])
        visit.page.close()


def sandbox(house: House) -> str:
    """The gateway that a rehearsal has from its first minute."""
    return next(
        str(each["id"])
        for each in house.owner.get("/v1/payment-gateways").json["items"]
        if each["provider"] == "sandbox"
    )


def test_the_policy_lets_no_other_script_run_and_nobody_frame_the_page(
    app: Any, stripe_house: StripeHouse, chromium: Browser
) -> None:
    path = waiting(stripe_house.house, {"payment_method_id": stripe_house.save_method("authentication")})
    with served(app) as origin:
        visit = Visit(chromium.new_page(), {})
        visit.page.goto(f"{origin}{path}")
        inject = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'stolen = 1'}))"
        visit.page.evaluate(inject)
        assert visit.page.evaluate("typeof stolen") == "undefined"
        assert any("Content Security Policy" in complaint for complaint in visit.complaints)
        policy = stripe_house.house.nobody.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        visit.page.close()


def test_the_sandboxs_page_needs_no_script_at_all(app: Any, house: House, chromium: Browser) -> None:
    path = waiting(house, {"payment_method_id": house.save_method("sandbox_3ds")})
    assert "script-src" not in house.nobody.get(path).headers["Content-Security-Policy"]
    with served(app) as origin:
        visit = Visit(chromium.new_page(), {})
        visit.page.goto(f"{origin}{path}")
        visit.page.get_by_role("button", name="Confirm", exact=True).click()
        expect(visit.page.get_by_role("status")).to_contain_text("Nothing is left to confirm")
        assert (state(house), visit.complaints) == ("succeeded", [])
        visit.page.close()
