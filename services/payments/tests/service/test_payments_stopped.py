"""What was given back or is disputed is not charged again by itself, also when a chargeback came in between (PAY-3)."""

from __future__ import annotations

from typing import Any

from payments_house import euro
from stripe_house import StripeHouse


def collection(stripe_house: StripeHouse, invoice: str) -> dict[str, Any]:
    """The plan to charge an invoice, and how many charges the provider saw."""
    found = stripe_house.house.owner.get(f"/v1/collections?invoice_id={invoice}").json["items"][0]
    shown = {name: found[name] for name in ("amount", "state", "stopped", "next_attempt_at")}
    return {**shown, "charges": len(stripe_house.double._of("payment_intent"))}


def paid_invoice(stripe_house: StripeHouse) -> tuple[str, str]:
    """An invoice of 45.00 that collection has charged, and its payment."""
    house = stripe_house.house
    stripe_house.save_method()
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-19T12:00:00Z")
    (payment,) = house.payments(invoice)
    assert payment["state"] == "succeeded", payment
    return invoice, payment["id"]


def test_what_was_refunded_before_a_won_dispute_is_not_charged_again(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    invoice, payment = paid_invoice(stripe_house)
    assert house.owner.post(f"/v1/payments/{payment}/refunds", {"amount": euro(1000)}).status_code == 201
    intent = double._of("payment_intent")[0]["id"]
    for status in ("needs_response", "won"):
        double.dispute(intent, status)
        stripe_house.deliver_all()
    house.advance("2027-03-19T12:00:00Z")
    assert collection(stripe_house, invoice) == {
        "amount": euro(1000),
        "state": "stopped",
        "stopped": "refunded",
        "next_attempt_at": None,
        "charges": 1,
    }


def test_the_report_adds_up_when_a_refunded_payment_is_disputed(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    _, payment = paid_invoice(stripe_house)
    assert house.owner.post(f"/v1/payments/{payment}/refunds", {"amount": euro(1000)}).status_code == 201
    double.dispute(double._of("payment_intent")[0]["id"], "needs_response")
    stripe_house.deliver_all()
    (line,) = house.owner.get("/v1/reports/payments?from=2027-02-01&to=2027-03-31").json["gateways"]
    sums = {name: line[name]["amount_minor"] for name in ("collected", "refunded", "disputed", "net")}
    assert sums == {"collected": 4500, "refunded": 1000, "disputed": 3500, "net": 0}
