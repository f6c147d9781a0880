"""Accidents on the way to the provider: one charge, the right state, nothing lost (PAY-1, PAY-3, PAY-7)."""

from __future__ import annotations

import itertools
import random
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from payments_house import House
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from stripe_house import Accidents, Killed, StripeHouse
from stripe_wire_double import Fault

from common.ids import decode_id
from common.jobs import JobRun
from contracts.invoicing import InvoiceVoided
from payments.gateways.port import ChargeOutcome, ChargeState, FailureKind
from payments.gateways.sandbox_webhooks import sign_charge_event
from payments.models import Invoice, Payment, PaymentMethod
from payments.services import collecting
from payments.services.charging import begin_attempt
from payments.services.webhooks import apply_due

DUE = "2027-02-19T08:00:00Z"


def invoice_to_collect(stripe_house: StripeHouse, behaviour: str = "ok") -> str:
    """An invoice that is charged by itself on 19 Feb."""
    stripe_house.save_method(behaviour)
    stripe_house.house.switch_on()
    return stripe_house.house.issue(4500, due="2027-02-19")


def states(house: House, invoice: str) -> list[str]:
    """States of an invoice's payments, in order."""
    return [payment["state"] for payment in house.payments(invoice)]


def test_pay_1_a_kill_between_charge_and_commit_ends_in_one_charge(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.accidents.after_charge.append(Accidents.kill)
    with pytest.raises(Killed):
        house.advance(DUE)
    assert states(house, invoice) == ["pending"]
    assert house.published("payment-succeeded") == 0
    house.wait(160)
    assert states(house, invoice) == ["succeeded"]
    assert (stripe_house.double.charges_made, house.published("payment-succeeded")) == (1, 1)


def test_pay_1_a_kill_before_the_charge_sends_the_same_request_again(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.accidents.before_charge.append(Accidents.kill)
    with pytest.raises(Killed):
        house.advance(DUE)
    for _ in range(4):
        house.wait(160)
    assert states(house, invoice) == ["succeeded"]
    assert stripe_house.double.charges_made == 1


def test_pay_1_what_was_never_sent_is_not_sent_for_an_invoice_that_is_void_by_now(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.accidents.before_charge.append(Accidents.kill)
    with pytest.raises(Killed):
        house.advance(DUE)
    fields = {"invoice_id": decode_id("inv", invoice), "state": "void", "version": 9}
    house.tell(house.invoice_message(4500, due="2027-02-19", kind=InvoiceVoided, **fields))
    for _ in range(4):
        house.wait(160)
    assert states(house, invoice) == ["failed"]
    assert stripe_house.double.charges_made == 0


def test_pay_1_a_database_lost_while_answers_are_recorded_loses_none_and_charges_none_twice(
    stripe_house: StripeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = stripe_house.house
    stripe_house.save_method("ok")
    house.switch_on()
    invoices = [house.issue(100, due="2027-02-01") for _ in range(30)]
    house._set_clock(house.now().replace(hour=9))

    def lost(*_: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(collecting, "_record", lost)
        with pytest.raises(OperationalError):
            house.run("collect")
    for _ in range(5):
        house.wait(160)
    assert [states(house, invoice) for invoice in invoices] == [["succeeded"]] * 30
    assert stripe_house.double.charges_made == 30


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW_ANSWER])
def test_pay_1_whatever_goes_wrong_at_the_wire_ends_in_one_charge(stripe_house: StripeHouse, fault: Fault) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.double.next_fault("/v1/payment_intents", fault)
    house.advance(DUE)
    for _ in range(6):
        house.wait(60)
    assert states(house, invoice) == ["succeeded"]
    assert (stripe_house.double.charges_made, house.published("payment-succeeded")) == (1, 1)


def test_pay_1_a_timeout_with_the_charge_made_is_one_charge(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.double.next_fault("/v1/payment_intents", Fault.SLOW_ANSWER)
    with stripe_house.impatient():
        house.advance(DUE)
    assert states(house, invoice) == ["pending"]
    house.wait(15)
    assert states(house, invoice) == ["succeeded"]
    assert stripe_house.double.charges_made == 1


def test_pay_1_an_unreachable_provider_is_asked_until_it_answers(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    for _ in range(4):
        stripe_house.double.next_fault("/v1/payment_intents", Fault.SERVER_ERROR)
    house.advance(DUE)
    for _ in range(7):
        house.wait(400)
    assert states(house, invoice) == ["succeeded"]
    assert stripe_house.double.charges_made == 1


def test_pay_7_a_webhook_before_the_answer_changes_nothing(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house), stripe_house.house
    stripe_house.accidents.after_charge.append(stripe_house.deliver_all)
    house.advance(DUE)
    stripe_house.deliver_all()
    assert states(house, invoice) == ["succeeded"]
    assert house.published("payment-succeeded") == 1


def test_pay_7_unsigned_and_foreign_webhooks_are_refused(stripe_house: StripeHouse) -> None:
    event = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 0, "data": {"object": {}}}
    assert stripe_house.deliver(event, {"Stripe-Signature": "t=1,v1=00"}) == 400
    body, _ = stripe_house.double.signed(event, "whsec_another")
    answer = stripe_house.house.nobody.request("POST", f"/v1/webhooks/{stripe_house.gateway}", data=body)
    assert (answer.status_code, answer.json["code"]) == (400, "webhook_signature_invalid")
    assert stripe_house.house.nobody.request("POST", "/v1/webhooks/gtw_nothing", data=body).status_code == 404


def test_pay_3_a_returned_debit_climbs_the_ladder(stripe_house: StripeHouse) -> None:
    invoice, house = invoice_to_collect(stripe_house, "sepafails"), stripe_house.house
    house.advance(DUE)
    assert states(house, invoice) == ["pending"]
    (intent,) = [o["id"] for o in stripe_house.double.objects.values() if o["object"] == "payment_intent"]
    stripe_house.double.settle(intent)
    stripe_house.deliver_all()
    assert states(house, invoice) == ["failed"]
    house.advance("2027-02-20T08:00:00Z")
    assert states(house, invoice) == ["failed", "pending"]


def test_pay_3_events_in_all_orders_and_three_times_each_converge(stripe_house: StripeHouse) -> None:
    """Success, refund in the dashboard, chargeback, chargeback won: 24 orders, each event three times."""
    double, house = stripe_house.double, stripe_house.house
    method = stripe_house.save_method("sepa")
    found = set()
    for order in itertools.permutations(range(4)):
        invoice = house.issue(4500, due="2027-02-19")
        made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
        assert (made.status_code, made.json["state"]) == (201, "pending"), made.json
        found.add(_after(stripe_house, made.json["id"], order))
    assert found == {("partially_refunded", 1000, "succeeded")}, found
    assert double.charges_made == 24


def _after(stripe_house: StripeHouse, payment: str, order: tuple[int, ...]) -> tuple[str, int, str]:
    """Deliver the four events in this order, each repeated twice more at random places later; the final state."""
    double, house = stripe_house.double, stripe_house.house
    intent = [o["id"] for o in double.objects.values() if o["object"] == "payment_intent"][-1]
    before = len(double.events)
    double.settle(intent)
    double._refund({"payment_intent": intent, "amount": "1000"})
    double.dispute(intent)
    double.dispute(intent, "won")
    events = [double.events[before + place] for place in order]
    again = events * 2
    random.Random(str(order)).shuffle(again)
    run, providers = JobRun(house.database, house.id, house.now()), house.app.extensions["providers"]
    for event in events:
        assert stripe_house.deliver(event) == 202
        apply_due(run, providers)
    for event in again:
        assert stripe_house.deliver(event) == 202
    apply_due(run, providers)
    shown = house.owner.get(f"/v1/payments/{payment}").json
    refunds = house.owner.get(f"/v1/payments/{payment}/refunds").json["items"]
    return shown["state"], shown["refunded"]["amount_minor"], refunds[0]["state"] if len(refunds) == 1 else "several"


def test_pay_1_twenty_pay_now_and_automatic_collection_make_one_payment(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    method = stripe_house.save_method("ok")
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-01")

    def pay(_: int) -> tuple[int, Any]:
        answer = house.owner.post(
            f"/v1/invoices/{invoice}/payments",
            {"payment_method_id": method},
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        return answer.status_code, answer.json.get("code")

    house._set_clock(house.now().replace(hour=9))
    with ThreadPoolExecutor(22) as pool:
        collecting = [pool.submit(house.run) for _ in range(2)]
        answers = list(pool.map(pay, range(20)))
        for future in collecting:
            future.result()
    house.run()
    assert stripe_house.double.charges_made == 1
    made = Counter(states(house, invoice))
    assert made == {"succeeded": 1}, made
    assert Counter(answers)[201, None] <= 1
    assert {code for status, code in answers if status != 201} <= {"payment_in_progress", "invoice_paid"}


def test_pay_1_a_second_running_attempt_is_refused_by_the_database_itself(stripe_house: StripeHouse) -> None:
    """Not the lock but the partial unique index is the last word."""
    from sqlalchemy import select

    house = stripe_house.house
    stripe_house.save_method("ok")
    house.issue(4500, due="2027-02-19")
    providers = house.app.extensions["providers"]
    with house.database.session(house.id) as session:
        invoice, method = session.scalars(select(Invoice)).one(), session.scalars(select(PaymentMethod)).one()
        begin_attempt(session, providers, invoice, method, source="pay_now", off_session=False)
        session.flush()
        begin_attempt(session, providers, invoice, method, source="automatic", off_session=True)
        with pytest.raises(IntegrityError, match="uq_payment_running"):
            session.flush()


def test_pay_6_a_gateway_with_pending_payments_stays_connected(stripe_house: StripeHouse) -> None:
    house, method = stripe_house.house, stripe_house.save_method("sepa")
    invoice = house.issue(4500, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    refused = house.owner.delete(f"/v1/payment-gateways/{stripe_house.gateway}")
    assert (refused.status_code, refused.json["code"]) == (409, "gateway_has_pending_payments")
    intent = [o["id"] for o in stripe_house.double.objects.values() if o["object"] == "payment_intent"][-1]
    stripe_house.double.settle(intent)
    stripe_house.deliver_all()
    assert house.owner.delete(f"/v1/payment-gateways/{stripe_house.gateway}").status_code == 204
    methods = house.owner.get("/v1/payment-methods").json["items"]
    assert [method["state"] for method in methods] == ["disconnected"]


def test_pay_10_a_card_is_entered_in_the_providers_element(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    body = {"member_id": house.member, "gateway_id": stripe_house.gateway}
    made = house.owner.post("/v1/payment-methods/setup", body).json
    assert made["state"] == "pending"
    assert made["setup"]["publishable_key"] == "pk_test_double"
    reference = made["setup"]["client_secret"].removesuffix("_secret")
    stripe_house.double.finish_setup(reference, stripe_house.double.new_method("ok"))
    confirmed = house.owner.post(f"/v1/payment-methods/{made['id']}/confirmation").json
    assert (confirmed["state"], confirmed["is_default"]) == ("active", True)
    stripe_house.deliver_all()
    assert len(house.owner.get("/v1/payment-methods").json["items"]) == 1


def test_pay_3_a_chargeback_reopens_the_invoice_and_is_not_charged_again(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    invoice = invoice_to_collect(stripe_house)
    house.advance(DUE)
    intent = [o["id"] for o in double.objects.values() if o["object"] == "payment_intent"][-1]
    double.dispute(intent)
    stripe_house.deliver_all()
    assert states(house, invoice) == ["disputed"]
    assert house.published("payment-reversed") == 1
    (planned,) = house.owner.get("/v1/collections").json["items"]
    assert (planned["state"], planned["stopped"], planned["amount"]["amount_minor"]) == ("stopped", "disputed", 4500)
    house.advance("2027-04-19T08:00:00Z")
    assert double.charges_made == 1
    double.dispute(intent, "won")
    stripe_house.deliver_all()
    assert states(house, invoice) == ["succeeded"]
    assert house.owner.get("/v1/collections").json["items"] == []


def test_pay_1_what_waits_for_the_member_is_given_up_before_another_attempt(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    invoice = invoice_to_collect(stripe_house, "authentication")
    house.advance(DUE)
    assert states(house, invoice) == ["action_required"]
    assert house.published("payment-action-required") == 1
    card = stripe_house.save_method("ok")
    paid = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": card})
    assert (paid.status_code, paid.json["state"]) == (201, "succeeded"), paid.json
    assert states(house, invoice) == ["failed", "succeeded"]
    first = next(o for o in double.objects.values() if o["object"] == "payment_intent")
    assert first["status"] == "canceled"
    assert double.charges_made == 1


def test_a_member_who_never_confirms_is_given_up_after_three_days_and_asked_again(stripe_house: StripeHouse) -> None:
    house, invoice = stripe_house.house, invoice_to_collect(stripe_house, "authentication")
    house.advance("2027-02-22T08:00:00Z")
    assert states(house, invoice) == ["failed"]
    house.advance("2027-02-23T08:00:00Z")
    assert states(house, invoice) == ["failed", "action_required"]


def test_pay_1_parallel_requests_with_one_key_have_one_effect(stripe_house: StripeHouse) -> None:
    house, method = stripe_house.house, stripe_house.save_method("ok")
    invoice = house.issue(4500, due="2027-02-19")
    path, body, key = f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}, {"Idempotency-Key": "one"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: house.owner.post(path, body, headers=key), range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_in_use"}
    assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
    assert stripe_house.double.charges_made == 1


def test_pay_3_a_debit_returned_late_is_charged_again_by_the_ladder(house: House) -> None:
    """The sandbox's signed event takes back what had been paid, before and after the payment itself is reported."""
    secret = "a-secret-of-tests"
    made = house.owner.post("/v1/payment-gateways", {"provider": "sandbox", "credentials": {"webhook_secret": secret}})
    gateway = made.json["id"]
    house.save_method("sandbox_pending", gateway_id=gateway)
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-22T08:00:00Z")
    (paid,) = house.payments(invoice)
    assert paid["state"] == "succeeded"
    with house.database.session(house.id) as session:
        reference = session.scalars(select(Payment.provider_reference).where(Payment.running.is_(False))).one()
    outcome = ChargeOutcome(ChargeState.FAILED, reference, "insufficient_funds", FailureKind.SOFT)
    body, headers = sign_charge_event(outcome, secret=secret, occurred_at=house.now(), taken_back=True)
    for _ in range(3):
        sent = {**headers, "Content-Type": "application/json"}
        assert house.nobody.request("POST", f"/v1/webhooks/{gateway}", data=body, headers=sent).status_code == 202
        house.run()
    assert states(house, invoice) == ["failed"]
    assert house.published("payment-reversed") == 1
    house.advance("2027-02-23T08:00:00Z")
    assert states(house, invoice) == ["failed", "pending"]
