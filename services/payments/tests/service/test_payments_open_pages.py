"""A charge that failed on a page which its member still has open never succeeds beside another (PAY-1)."""

from __future__ import annotations

from typing import Any

from payments_house import euro
from stripe_house import StripeHouse


def refused(stripe_house: StripeHouse, invoice: str) -> str:
    """A Pay Now whose bank said no; its intent, which the page can confirm again."""
    method = stripe_house.save_method("authentication")
    made = stripe_house.house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert made.json["state"] == "action_required", made.json
    intent = stripe_house.double._of("payment_intent")[-1]["id"]
    stripe_house.double.authenticate(intent, succeeded=False)
    stripe_house.deliver_all()
    assert [payment["state"] for payment in stripe_house.house.payments(invoice)] == ["failed"]
    return str(intent)


def statuses(stripe_house: StripeHouse) -> list[str]:
    """Of all intents, the oldest first."""
    return [intent["status"] for intent in reversed(stripe_house.double._of("payment_intent"))]


def shown(stripe_house: StripeHouse, invoice: str) -> list[Any]:
    """States of the invoice's payments."""
    return [payment["state"] for payment in stripe_house.house.payments(invoice)]


def test_pay_1_another_pay_now_cancels_what_failed_on_an_open_page_first(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.switch_on(automatic=False)
    invoice = house.issue(4500, due="2027-02-19")
    refused(stripe_house, invoice)
    body = {"payment_method_id": stripe_house.save_method()}
    assert house.owner.post(f"/v1/invoices/{invoice}/payments", body).json["state"] == "succeeded"
    assert statuses(stripe_house) == ["canceled", "succeeded"]
    assert shown(stripe_house, invoice) == ["failed", "succeeded"]


def test_pay_1_what_succeeded_on_the_open_page_after_all_makes_another_pay_now_needless(
    stripe_house: StripeHouse,
) -> None:
    house = stripe_house.house
    house.switch_on(automatic=False)
    invoice = house.issue(4500, due="2027-02-19")
    intent = refused(stripe_house, invoice)
    method = stripe_house.save_method()
    stripe_house.double.authenticate(intent, succeeded=True)
    second = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert (second.status_code, second.json["code"]) == (409, "invoice_paid")
    assert (statuses(stripe_house), shown(stripe_house, invoice)) == (["succeeded"], ["succeeded"])


def test_pay_1_collection_waits_until_the_open_page_is_closed(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-01")
    refused(stripe_house, invoice)
    stripe_house.save_method()
    house.advance("2027-02-01T12:00:00Z")
    assert statuses(stripe_house) == ["canceled", "succeeded"]
    assert shown(stripe_house, invoice) == ["failed", "succeeded"]


def test_pay_1_an_open_page_is_closed_after_a_while_and_the_money_is_counted_once(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.switch_on(automatic=False)
    invoice = house.issue(4500, due="2027-02-19")
    refused(stripe_house, invoice)
    house.advance("2027-02-01T08:10:00Z")
    assert statuses(stripe_house) == ["requires_payment_method"]
    house.advance("2027-02-01T09:00:00Z")
    assert statuses(stripe_house) == ["canceled"]
    (found,) = house.owner.get(f"/v1/collections?invoice_id={invoice}").json["items"]
    assert found["amount"] == euro(4500)
    assert house.owner.delete(f"/v1/payment-gateways/{stripe_house.gateway}").status_code == 204
