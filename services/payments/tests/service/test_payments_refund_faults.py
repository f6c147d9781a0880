"""Accidents on the way back: one refund, the right state, nothing lost; banks that send refunds back (PAY-3, PAY-5)."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from payments_house import House, credit_note, euro
from stripe_house import Accidents, Killed, StripeHouse
from stripe_wire_double import Fault

from common.ids import decode_id


def paid(stripe_house: StripeHouse) -> tuple[str, str]:
    """A paid invoice and its payment."""
    house, method = stripe_house.house, stripe_house.save_method()
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert made.json["state"] == "succeeded", made.json
    return invoice, str(made.json["id"])


def refund(house: House, payment: str, minor: int = 4500, key: str | None = None) -> Any:
    """The answer to a refund."""
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return house.owner.post(f"/v1/payments/{payment}/refunds", {"amount": euro(minor)}, headers=headers)


def given_back(stripe_house: StripeHouse) -> int:
    """Refunds at the provider, whatever we were told."""
    return len(stripe_house.double._of("refund"))


def told(house: House, payment: str) -> tuple[str, int, list[str]]:
    """State, refunded amount and the refunds' states as we show them."""
    shown = house.owner.get(f"/v1/payments/{payment}").json
    refunds = house.owner.get(f"/v1/payments/{payment}/refunds").json["items"]
    return shown["state"], shown["refunded"]["amount_minor"], [each["state"] for each in refunds]


REFUNDED = ("refunded", 4500, ["succeeded"])


@pytest.mark.parametrize("moment", ["before_refund", "after_refund"])
def test_pay_5_a_kill_around_the_refund_ends_in_one_refund(stripe_house: StripeHouse, moment: str) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    getattr(stripe_house.accidents, moment).append(Accidents.kill)
    with pytest.raises(Killed):
        refund(house, payment)
    assert told(house, payment) == ("refunded", 4500, ["pending"]), "counted as given from its intent on"
    assert house.published("payment-refunded") == 0
    house.wait(130)
    assert told(house, payment) == REFUNDED
    assert (given_back(stripe_house), house.published("payment-refunded")) == (1, 1)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW_ANSWER])
def test_pay_5_whatever_goes_wrong_at_the_wire_ends_in_one_refund(stripe_house: StripeHouse, fault: Fault) -> None:
    """500s, 429s, lines that break before and after."""
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.next_fault("/v1/refunds", fault)
    assert refund(house, payment).json["state"] == "pending"
    house.wait(60)
    house.wait(60)
    assert told(house, payment) == REFUNDED
    assert (given_back(stripe_house), house.published("payment-refunded")) == (1, 1)


def test_pay_5_a_timeout_with_the_refund_made_is_one_refund(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.next_fault("/v1/refunds", Fault.SLOW_ANSWER)
    with stripe_house.impatient():
        assert refund(house, payment).json["state"] == "pending"
    house.wait(60)
    assert told(house, payment) == REFUNDED
    assert (given_back(stripe_house), house.published("payment-refunded")) == (1, 1)


def test_pay_5_an_unreachable_provider_is_asked_until_it_answers(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    for _ in range(4):
        stripe_house.double.next_fault("/v1/refunds", Fault.SERVER_ERROR)
    assert refund(house, payment).json["state"] == "pending"
    for _ in range(5):
        house.wait(400)
    assert told(house, payment) == REFUNDED
    assert given_back(stripe_house) == 1


def test_pay_7_a_webhook_before_the_answer_changes_nothing(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.accidents.after_refund.append(stripe_house.deliver_all)
    assert refund(house, payment).json["state"] == "succeeded"
    stripe_house.deliver_all()
    assert told(house, payment) == REFUNDED
    assert house.published("payment-refunded") == 1


def test_pay_7_a_refund_told_by_webhook_is_asked_for_no_more(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)

    def deliver_and_die() -> None:
        stripe_house.deliver_all()
        Accidents.kill()

    stripe_house.accidents.after_refund.append(deliver_and_die)
    with pytest.raises(Killed):
        refund(house, payment)
    assert told(house, payment) == REFUNDED
    stripe_house.double.next_fault("/v1/refunds", Fault.SERVER_ERROR)
    house.wait(400)
    assert len(stripe_house.double.faults) == 1, "nobody asked"
    assert given_back(stripe_house) == 1


def test_pay_3_a_refund_on_its_way_is_asked_for_daily_until_the_bank_has_it(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.refunds_are = "pending"
    assert refund(house, payment).json["state"] == "pending"
    house.advance("2027-02-03T12:00:00Z")
    assert told(house, payment) == ("refunded", 4500, ["pending"])
    stripe_house.double.settle_refund(stripe_house.double._of("refund")[0]["id"])
    house.advance("2027-02-04T12:00:00Z")
    assert told(house, payment) == REFUNDED
    assert house.published("payment-refunded") == 2, "begun, and arrived"


@pytest.mark.parametrize("by", ["asking", "webhook"])
def test_pay_3_a_refund_that_the_bank_sends_back_makes_the_invoice_paid_again(
    stripe_house: StripeHouse, by: str
) -> None:
    house, (invoice, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.refunds_are = "pending"
    refund(house, payment, 1000)
    (planned,) = house.owner.get(f"/v1/collections?invoice_id={invoice}").json["items"]
    assert (planned["stopped"], planned["amount"]) == ("refunded", euro(1000))
    stripe_house.double.settle_refund(stripe_house.double._of("refund")[0]["id"], succeeded=False)
    if by == "webhook":
        stripe_house.deliver_all()
    else:
        house.advance("2027-02-03T12:00:00Z")
    assert told(house, payment) == ("succeeded", 0, ["failed"])
    (planned,) = house.owner.get(f"/v1/collections?invoice_id={invoice}").json["items"]
    assert (planned["state"], planned["stopped"], planned["amount"]) == ("done", None, euro(0))
    (bounced,) = house.messages("payment-refund-failed")
    assert (bounced["state"], bounced["refunded"], bounced["refund"]) == ("succeeded", euro(0), euro(1000))
    assert (bounced["failure_code"], bounced["request_id"]) == ("expired_or_canceled_card", None)
    problems = house.owner.get("/v1/setup/payments").json["problems"]
    assert "refunds_failed" in [problem["code"] for problem in problems]
    assert refund(house, payment, 4500).json["state"] == "pending", "and it may be tried again"


def test_pay_5_a_credit_notes_refund_that_failed_is_made_again_when_the_note_is_told_again(
    stripe_house: StripeHouse,
) -> None:
    house, (invoice, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.refunds_are = "pending"
    note = credit_note(invoice, 1000)
    house.tell(note)
    house.run()
    stripe_house.double.settle_refund(stripe_house.double._of("refund")[0]["id"], succeeded=False)
    house.advance("2027-02-03T12:00:00Z")
    assert told(house, payment) == ("succeeded", 0, ["failed"])
    house.tell(msgspec.structs.replace(note, version=2))
    house.run()
    assert told(house, payment) == ("partially_refunded", 1000, ["pending", "failed"])


def test_pay_3_refund_events_in_all_orders_and_three_times_each_converge(stripe_house: StripeHouse) -> None:
    """Begun, arrived, sent back: failure has the last word in whatever order it is told."""
    house, double = stripe_house.house, stripe_house.double
    double.refunds_are = "pending"
    for order in itertools.permutations(range(3)):
        _, payment = paid(stripe_house)
        before = len(double.events)
        refund(house, payment, 1000)
        reference = double._of("refund")[0]["id"]
        double.settle_refund(reference)
        double.settle_refund(reference, succeeded=False)
        for _ in range(3):
            for place in order:
                assert stripe_house.deliver(double.events[before + place]) == 202
            house.run("apply-webhooks")
        assert told(house, payment) == ("succeeded", 0, ["failed"]), order
        bounced = [body["payment_id"] for body in house.messages("payment-refund-failed")]
        assert bounced.count(str(decode_id("pay", payment))) == 1, order


def test_pay_7_a_dispute_that_overtakes_the_charges_answer_is_not_lost(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    method = stripe_house.save_method()
    invoice = house.issue(4500, due="2027-02-19")
    double.next_fault("/v1/payment_intents", Fault.LOST_ANSWER)
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert made.json["state"] == "pending"
    double.dispute(double._of("payment_intent")[0]["id"])
    assert stripe_house.deliver(double.events[-1]) == 202
    house.run("apply-webhooks")
    house.wait(60)
    assert house.payments(invoice)[0]["state"] == "succeeded"
    house.advance("2027-02-02T08:00:00Z")
    house.wait(60)
    assert house.payments(invoice)[0]["state"] == "disputed"


def test_pay_5_ten_refunds_at_once_give_back_no_more_than_was_paid(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: refund(house, payment, 3000), range(10)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 9}
    assert (given_back(stripe_house), told(house, payment)) == (1, ("partially_refunded", 3000, ["succeeded"]))


def test_pay_5_one_key_is_one_refund(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    first, again = refund(house, payment, 1000, key="one"), refund(house, payment, 1000, key="one")
    assert (first.status_code, again.status_code, again.json["id"]) == (201, 201, first.json["id"])
    assert refund(house, payment, 999, key="one").json["code"] == "idempotency_key_reused"
    assert given_back(stripe_house) == 1


def test_pay_6_a_gateway_with_pending_refunds_stays_connected(stripe_house: StripeHouse) -> None:
    house, (_, payment) = stripe_house.house, paid(stripe_house)
    stripe_house.double.refunds_are = "pending"
    refund(house, payment)
    path = f"/v1/payment-gateways/{stripe_house.gateway}"
    refused = house.owner.delete(path)
    assert (refused.status_code, refused.json["code"]) == (409, "gateway_has_pending_refunds")
    stripe_house.double.settle_refund(stripe_house.double._of("refund")[0]["id"])
    stripe_house.deliver_all()
    assert house.owner.delete(path).status_code == 204


def test_a_credit_notes_refund_through_a_disconnected_gateway_fails_and_does_not_wait_for_ever(
    stripe_house: StripeHouse,
) -> None:
    house, (invoice, payment) = stripe_house.house, paid(stripe_house)
    assert house.owner.delete(f"/v1/payment-gateways/{stripe_house.gateway}").status_code == 204
    house.tell(credit_note(invoice, 1000))
    house.run()
    assert told(house, payment) == ("succeeded", 0, ["failed"])
    (failed,) = house.owner.get(f"/v1/payments/{payment}/refunds").json["items"]
    assert failed["failure_code"] == "gateway_disconnected"
    (message,) = house.messages("payment-refund-failed")
    assert (message["failure_code"], message["refunded"]) == ("gateway_disconnected", euro(0))
    assert message["credit_note_id"] == str(decode_id("crn", failed["credit_note_id"]))
    assert house.published("payment-refunded") == 0


def test_a_refund_begun_and_failed_at_the_provider_alone_changes_nothing_here(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    _, payment = paid(stripe_house)
    double.refunds_are = "pending"
    charge = double._of("payment_intent")[0]["id"]
    made = double.refund_in_the_dashboard(charge, 1000)
    double.events.clear()
    double.settle_refund(made, succeeded=False)
    stripe_house.deliver_all()
    assert told(house, payment) == ("succeeded", 0, ["failed"])
    assert house.published("payment-refund-failed") == 0


@pytest.mark.parametrize(
    ("token", "end"),
    [
        ("sandbox_refund_pending", ("refunded", 4500, ["succeeded"])),
        ("sandbox_refund_fails", ("succeeded", 0, ["failed"])),
    ],
)
def test_the_sandboxs_banks_take_three_days(house: House, token: str, end: tuple[str, int, list[str]]) -> None:
    method = house.save_method(token)
    invoice = house.issue(4500, due="2027-02-19")
    payment = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json["id"]
    assert refund(house, payment).json["state"] == "pending"
    house.advance("2027-02-04T07:59:59Z")
    assert told(house, payment) == ("refunded", 4500, ["pending"])
    house.advance("2027-02-04T08:00:00Z")
    assert told(house, payment) == end
