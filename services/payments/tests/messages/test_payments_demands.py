"""What invoicing asks back while a chargeback holds the money: it goes once when the dispute is won, or fails aloud."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest
from payments_house import House, credit_note, euro
from sqlalchemy import select
from stripe_house import StripeHouse

from common.ids import decode_id, new_id
from common.money import Money
from contracts.invoicing import CreditNoteIssued, InvoiceVoided, RefundRequested
from payments.gateways.sandbox_webhooks import sign_charge_event
from payments.gateways.terms import ChargeOutcome, ChargeState, FailureKind
from payments.models import Payment


class Dispute:
    """An invoice of 45.00 that a card paid, and its chargeback."""

    def __init__(self, stripe_house: StripeHouse) -> None:
        self.house: House = stripe_house.house
        self.stripe_house, self.double = stripe_house, stripe_house.double
        self.invoice = self.house.issue(4500, due="2027-02-19")
        self.payment = self.pay()
        self.intent = self.double._of("payment_intent")[-1]["id"]

    def pay(self) -> str:
        """Pay what is payable; the payment's public id."""
        body = {"payment_method_id": self.stripe_house.save_method()}
        made = self.house.owner.post(f"/v1/invoices/{self.invoice}/payments", body).json
        assert made["state"] == "succeeded", made
        return str(made["id"])

    def becomes(self, status: str) -> None:
        """The bank opened or decided the dispute."""
        self.double.dispute(self.intent, status)
        self.stripe_house.deliver_all()

    def ask(self, message: Any) -> None:
        """Invoicing asks."""
        self.house.tell(message)
        self.house.run()

    def request(self, minor: int = 4500, **changes: Any) -> RefundRequested:
        """Money that came too late is asked back."""
        values: dict[str, Any] = {"request_id": new_id(), "reason": "late", "version": 2, **changes}
        invoice_id = decode_id("inv", self.invoice)
        return RefundRequested(invoice_id=invoice_id, amount=Money(minor, "EUR"), **values)

    def note(self) -> CreditNoteIssued:
        """A credit note of all of it that goes back."""
        return credit_note(self.invoice, 4500)

    def voided(self) -> None:
        """Invoicing voids the invoice."""
        fields = {"invoice_id": decode_id("inv", self.invoice), "state": "void", "version": 9}
        self.house.tell(self.house.invoice_message(4500, due="2027-02-19", kind=InvoiceVoided, **fields))

    def shown(self) -> tuple[str, int, list[str]]:
        """The payment's state, what was given back, and its refunds' states."""
        found = self.house.owner.get(f"/v1/payments/{self.payment}").json
        refunds = self.house.owner.get(f"/v1/payments/{self.payment}/refunds?sort=id").json["items"]
        return found["state"], found["refunded"]["amount_minor"], [refund["state"] for refund in refunds]

    @property
    def given_back(self) -> int:
        """Refunds that the provider made."""
        return len(self.double._of("refund"))


@pytest.fixture
def dispute(stripe_house: StripeHouse) -> Dispute:
    """A paid invoice."""
    stripe_house.house.switch_on()
    return Dispute(stripe_house)


@pytest.mark.parametrize("asked", ["request", "note"])
def test_what_is_asked_during_a_dispute_goes_back_once_when_it_is_won(dispute: Dispute, asked: str) -> None:
    dispute.becomes("needs_response")
    message = getattr(dispute, asked)()
    dispute.ask(message)
    dispute.ask(message)
    dispute.house.wait(7200)
    assert (dispute.shown(), dispute.given_back) == (("disputed", 0, ["pending"]), 0)
    dispute.becomes("won")
    assert (dispute.shown(), dispute.given_back) == (("refunded", 4500, ["succeeded"]), 1)
    (told,) = dispute.house.messages("payment-refunded")
    assert (told["refund"], told["refunded"]) == (euro(4500), euro(4500))
    dispute.ask(message)
    assert dispute.given_back == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_the_money_of_a_won_dispute_goes_back_once(dispute: Dispute, order: tuple[int, ...]) -> None:
    """Asked before, while and after the bank had it; what the bank tells may come late, too."""
    message = dispute.request()
    steps = [
        lambda: dispute.ask(message),
        lambda: dispute.becomes("needs_response"),
        lambda: dispute.becomes("won"),
    ]
    for place in order:
        steps[place]()
    assert (dispute.shown(), dispute.given_back) == (("refunded", 4500, ["succeeded"]), 1)
    assert dispute.house.published("payment-refund-failed") == 0


@pytest.mark.parametrize("asked", ["request", "note"])
@pytest.mark.parametrize("is_lost_first", [False, True])
def test_what_is_asked_of_a_lost_dispute_is_announced_as_failed(
    dispute: Dispute, asked: str, is_lost_first: bool
) -> None:
    message = getattr(dispute, asked)()
    dispute.becomes("needs_response")
    if is_lost_first:
        dispute.becomes("lost")
    dispute.ask(message)
    if not is_lost_first:
        dispute.becomes("lost")
    assert (dispute.shown(), dispute.given_back) == (("disputed", 0, ["failed"]), 0)
    (told,) = dispute.house.messages("payment-refund-failed")
    assert (told["state"], told["refund"], told["refunded"]) == ("disputed", euro(4500), euro(0))
    assert told["failure_code"] == "payment_disputed"
    assert told["request_id" if asked == "request" else "credit_note_id"] is not None
    assert dispute.house.owner.get("/v1/setup/payments").json["facts"]["refunds_failed"] == 0, "the customer has it"


def test_a_waiting_refund_of_a_note_does_not_make_the_invoice_payable_again(dispute: Dispute) -> None:
    """The moment between the dispute that is won and the refund must not look like a debt that is collected."""
    dispute.becomes("needs_response")
    dispute.ask(dispute.note())
    dispute.becomes("won")
    dispute.house.advance("2027-03-19T08:00:00Z")
    assert dispute.double.charges_made == 1
    (invoice,) = dispute.house.owner.get(f"/v1/collections?invoice_id={dispute.invoice}&state=done").json["items"]
    assert invoice["amount"] == euro(0)


def test_a_part_that_can_go_back_goes_at_once_and_the_rest_waits(dispute: Dispute) -> None:
    dispute.becomes("needs_response")
    second = dispute.pay()
    dispute.voided()
    dispute.ask(dispute.request(9000))
    assert (dispute.house.owner.get(f"/v1/payments/{second}").json["state"], dispute.given_back) == ("refunded", 1)
    assert dispute.shown() == ("disputed", 0, ["pending"])
    dispute.becomes("won")
    assert (dispute.shown(), dispute.given_back) == (("refunded", 4500, ["succeeded"]), 2)


def test_a_later_payment_goes_back_though_an_earlier_one_waits(dispute: Dispute) -> None:
    """Once invoicing knows of the dispute, its request counts the other payments alone."""
    dispute.becomes("needs_response")
    first = dispute.request()
    dispute.ask(first)
    second = dispute.pay()
    dispute.ask(msgspec.structs.replace(first, version=3))
    assert dispute.house.owner.get(f"/v1/payments/{second}").json["state"] == "refunded"
    assert dispute.shown() == ("disputed", 0, ["pending"])
    dispute.becomes("won")
    dispute.ask(msgspec.structs.replace(first, amount=Money(9000, "EUR"), version=4))
    assert (dispute.shown(), dispute.given_back) == (("refunded", 4500, ["succeeded"]), 2)


def test_what_was_given_back_at_the_provider_meanwhile_is_not_given_twice(dispute: Dispute) -> None:
    dispute.becomes("needs_response")
    dispute.ask(dispute.request())
    dispute.double.refund_in_the_dashboard(dispute.intent, 1000)
    dispute.becomes("won")
    assert (dispute.shown()[:2], dispute.given_back) == (("partially_refunded", 1000), 1)
    (told,) = dispute.house.messages("payment-refund-failed")
    assert told["failure_code"] == "refund_exceeds_payment"


def test_a_gateway_with_a_waiting_refund_stays_connected(dispute: Dispute) -> None:
    dispute.becomes("needs_response")
    dispute.ask(dispute.request())
    path = f"/v1/payment-gateways/{dispute.stripe_house.gateway}"
    assert dispute.house.owner.delete(path).json["code"] == "gateway_has_pending_refunds"
    dispute.becomes("lost")
    assert dispute.house.owner.delete(path).status_code == 204


def test_a_credit_note_of_money_that_was_returned_late_is_announced_as_failed(house: House) -> None:
    """A debit came back before the note arrived: the note's amount must not stay on its way for ever."""
    secret = "a-secret-of-tests"
    account = {"provider": "sandbox", "credentials": {"webhook_secret": secret}}
    gateway = house.owner.post("/v1/payment-gateways", account).json["id"]
    house.save_method("sandbox_pending", gateway_id=gateway)
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-22T08:00:00Z")
    with house.database.session(house.id) as session:
        reference = session.scalars(select(Payment.provider_reference)).one()
    outcome = ChargeOutcome(ChargeState.FAILED, reference, "insufficient_funds", FailureKind.SOFT)
    body, headers = sign_charge_event(outcome, secret=secret, occurred_at=house.now(), taken_back=True)
    sent = {**headers, "Content-Type": "application/json"}
    house.nobody.request("POST", f"/v1/webhooks/{gateway}", data=body, headers=sent)
    house.run()
    house.tell(credit_note(invoice, 1000))
    (told,) = house.messages("payment-refund-failed")
    assert (told["failure_code"], told["state"], told["refund"]) == ("payment_returned", "failed", euro(1000))
