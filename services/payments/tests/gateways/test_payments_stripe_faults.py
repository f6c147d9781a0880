"""The Stripe adapter when the wire or Stripe goes wrong: one charge, a right answer, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from stripe_wire_double import Fault, StripeDouble

from common.money import Money
from payments.gateways.events import (
    ChargeChanged,
    DisputeChanged,
    DisputeState,
    MethodChanged,
    MethodGone,
    MethodSaved,
    RefundChanged,
)
from payments.gateways.port import (
    ChargeRequest,
    ChargeState,
    CredentialsRejectedError,
    CustomerDetails,
    FailureKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    MethodKind,
    PaymentGateway,
    RefundRequest,
    RefundState,
    SetupRequest,
    SignatureError,
    UnsupportedByGatewayError,
)

Build = Callable[..., PaymentGateway]
AFTER = [Fault.LOST_ANSWER, Fault.SLOW_ANSWER, Fault.SERVER_ERROR_AFTER]
BEFORE = [Fault.LOST_REQUEST, Fault.SERVER_ERROR, Fault.RATE_LIMIT]


def a_customer(gateway: PaymentGateway) -> str:
    return gateway.create_customer(CustomerDetails("Example Member", "m@example.com", {"member_id": "mem_1"}), "cus-1")


def a_request(double: StripeDouble, gateway: PaymentGateway, behaviour: str = "ok", **changes: Any) -> ChargeRequest:
    customer = a_customer(gateway)
    method = gateway.attach(customer, double.new_method(behaviour)).reference
    request = ChargeRequest(
        "inv_1:1", Money(4500, "EUR"), customer, method, "INV-1", {"payment_id": "pay_1", "invoice_id": "inv_1"}
    )
    return replace(request, **changes)


@pytest.mark.parametrize("fault", AFTER)
def test_a_lost_answer_is_unknown_and_found_by_asking_pay1(
    double: StripeDouble, stripe_on_double: Build, fault: Fault
) -> None:
    gateway, impatient = stripe_on_double(), stripe_on_double(read_timeout=0.3)
    request = a_request(double, gateway)
    double.next_fault("/v1/payment_intents", fault)
    assert impatient.charge(request).state is ChargeState.UNKNOWN
    found = gateway.find_charge(request)
    assert found is not None
    assert found.state is ChargeState.SUCCEEDED
    assert double.charges_made == 1


@pytest.mark.parametrize("fault", BEFORE)
def test_a_lost_request_is_unknown_then_not_found_and_may_be_sent_again_pay1(
    double: StripeDouble, stripe_on_double: Build, fault: Fault
) -> None:
    gateway = stripe_on_double()
    request = a_request(double, gateway)
    double.next_fault("/v1/payment_intents", fault)
    assert gateway.charge(request).state is ChargeState.UNKNOWN
    assert gateway.find_charge(request) is None
    assert gateway.charge(request).state is ChargeState.SUCCEEDED
    assert double.charges_made == 1


def test_the_sdk_repeats_a_lost_answer_with_the_same_key(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double(retries=1)
    request = a_request(double, gateway)
    double.next_fault("/v1/payment_intents", Fault.LOST_ANSWER)
    assert gateway.charge(request).state is ChargeState.SUCCEEDED
    assert double.charges_made == 1


def test_the_answer_lost_and_asking_fails_too_is_an_error_and_not_none(
    double: StripeDouble, stripe_on_double: Build
) -> None:
    gateway = stripe_on_double()
    request = a_request(double, gateway)
    gateway.charge(request)
    double.next_fault("/v1/payment_intents", Fault.SERVER_ERROR)
    with pytest.raises(GatewayUnavailableError):
        gateway.find_charge(request)


def test_a_key_used_for_something_else_is_unknown_and_charges_nothing(
    double: StripeDouble, stripe_on_double: Build
) -> None:
    gateway = stripe_on_double()
    request = a_request(double, gateway)
    gateway.charge(request)
    outcome = gateway.charge(replace(request, amount=Money(1, "EUR")))
    assert (outcome.state, outcome.failure_code) == (ChargeState.UNKNOWN, "idempotency_mismatch")
    assert double.charges_made == 1


def test_a_charge_is_found_among_hundreds(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    request = a_request(double, gateway)
    first = gateway.charge(request)
    for number in range(2, 220):
        double._new_intent(
            {"customer": request.customer_reference, "amount": "1", "metadata": {"idempotency_key": str(number)}}
        )
    assert gateway.find_charge(request) == first


def test_rejected_keys_fail_softly_and_are_told_when_checked(double: StripeDouble, stripe_on_double: Build) -> None:
    request = a_request(double, stripe_on_double())
    gateway = stripe_on_double(api_key="sk_test_revoked")
    outcome = gateway.charge(request)
    assert (outcome.state, outcome.failure_code, outcome.failure_kind) == (
        ChargeState.FAILED,
        "gateway_credentials_rejected",
        FailureKind.SOFT,
    )
    with pytest.raises(CredentialsRejectedError):
        gateway.check_credentials()


def test_a_customer_made_twice_with_one_key_is_one(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    assert a_customer(gateway) == a_customer(gateway)


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.SERVER_ERROR, Fault.RATE_LIMIT])
def test_outside_of_charges_an_unreachable_provider_is_an_error(
    double: StripeDouble, stripe_on_double: Build, fault: Fault
) -> None:
    double.next_fault("/v1/customers", fault)
    with pytest.raises(GatewayUnavailableError):
        a_customer(stripe_on_double())


def test_a_declined_card_is_not_saved(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    with pytest.raises(GatewayRejectedError) as refusal:
        gateway.attach(a_customer(gateway), double.new_method("unsaveable"))
    assert refusal.value.code == "do_not_honor"


def test_setup_in_the_browser_gives_a_secret_and_then_the_method(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    kinds = (MethodKind.CARD, MethodKind.SEPA_DEBIT)
    begun = gateway.setup_method(SetupRequest("setup-1", a_customer(gateway), kinds))
    assert begun.method is None
    assert begun.client_secret
    assert begun.publishable_key == "pk_test_double"
    assert gateway.complete_setup(begun.reference).method is None
    double.finish_setup(begun.reference, double.new_method("sepa"))
    method = gateway.complete_setup(begun.reference).method
    assert method is not None
    assert (method.kind, method.last4) == (MethodKind.SEPA_DEBIT, "3000")


def test_setup_of_cash_is_not_stripes_business(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    with pytest.raises(UnsupportedByGatewayError):
        gateway.setup_method(SetupRequest("setup-1", a_customer(gateway), (MethodKind.CASH,)))


@pytest.mark.parametrize("off_session", [True, False])
def test_confirmation_by_the_member_completes_the_same_charge(
    double: StripeDouble, stripe_on_double: Build, off_session: bool
) -> None:
    gateway = stripe_on_double()
    request = a_request(double, gateway, "authentication", off_session=off_session, return_url="https://x.example/")
    waiting = gateway.charge(request)
    assert waiting.state is ChargeState.ACTION_REQUIRED
    assert waiting.provider_reference is not None
    assert bool(waiting.action_url) is not off_session
    double.authenticate(waiting.provider_reference, succeeded=True)
    assert gateway.fetch_charge(waiting.provider_reference).state is ChargeState.SUCCEEDED
    assert gateway.cancel_charge(waiting.provider_reference).state is ChargeState.SUCCEEDED
    assert double.charges_made == 1


def test_a_guest_chooses_the_method_while_paying(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    waiting = gateway.charge(ChargeRequest("k", Money(4500, "EUR"), a_customer(gateway), None, off_session=False))
    assert waiting.state is ChargeState.ACTION_REQUIRED
    assert waiting.client_secret
    assert double.charges_made == 0


def test_a_failed_confirmation_is_a_soft_failure(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    waiting = gateway.charge(a_request(double, gateway, "authentication", off_session=False))
    assert waiting.provider_reference is not None
    double.authenticate(waiting.provider_reference, succeeded=False)
    outcome = gateway.fetch_charge(waiting.provider_reference)
    assert (outcome.state, outcome.failure_kind) == (ChargeState.FAILED, FailureKind.SOFT)


def test_an_amount_that_stripe_cannot_charge_fails_without_asking(
    double: StripeDouble, stripe_on_double: Build
) -> None:
    gateway = stripe_on_double()
    outcome = gateway.charge(a_request(double, gateway, amount=Money(1001, "KWD")))
    assert (outcome.state, outcome.failure_code) == (ChargeState.FAILED, "amount_not_chargeable")


@pytest.mark.parametrize("fault", AFTER)
def test_an_unknown_refund_is_found_and_made_once(double: StripeDouble, stripe_on_double: Build, fault: Fault) -> None:
    gateway, impatient = stripe_on_double(), stripe_on_double(read_timeout=0.3)
    made = gateway.charge(a_request(double, gateway))
    assert made.provider_reference is not None
    request = RefundRequest("refund-1", made.provider_reference, Money(4500, "EUR"))
    double.next_fault("/v1/refunds", fault)
    assert impatient.refund(request).state is RefundState.UNKNOWN
    found = gateway.find_refund(request)
    assert found is not None
    assert found.state is RefundState.SUCCEEDED


# -- webhooks ---------------------------------------------------------------------------------------------------


def told(double: StripeDouble, gateway: PaymentGateway) -> list[Any]:
    """Everything that the double has sent so far, parsed."""
    return [event for sent in double.events for event in gateway.parse_webhook(*double.signed(sent))]


def test_charges_refunds_and_disputes_are_told_by_webhook(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    made = gateway.charge(a_request(double, gateway))
    assert made.provider_reference is not None
    gateway.refund(RefundRequest("refund-1", made.provider_reference, Money(500, "EUR")))
    double.dispute(made.provider_reference)
    double.dispute(made.provider_reference, "warning_needs_response")
    double.dispute(made.provider_reference, "lost")
    charged, refunded, disputed, lost = told(double, gateway)
    assert isinstance(charged, ChargeChanged)
    assert (charged.outcome, charged.payment_id, charged.idempotency_key) == (made, "pay_1", "inv_1:1")
    assert charged.occurred_at.tzinfo is UTC
    assert isinstance(refunded, RefundChanged)
    assert (refunded.amount, refunded.outcome.state) == (Money(500, "EUR"), RefundState.SUCCEEDED)
    assert isinstance(disputed, DisputeChanged)
    assert (disputed.state, disputed.amount) == (DisputeState.OPENED, Money(4500, "EUR"))
    assert lost.state is DisputeState.LOST
    assert len({event.event_id for event in (charged, refunded, disputed, lost)}) == 4


def test_pending_and_failed_debits_are_told_by_webhook(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    made = gateway.charge(a_request(double, gateway, "sepafails"))
    assert made.provider_reference is not None
    double.settle(made.provider_reference)
    states = [event.outcome.state for event in told(double, gateway)]
    assert states == [ChargeState.PENDING, ChargeState.FAILED]


def test_methods_are_told_by_webhook(double: StripeDouble, stripe_on_double: Build) -> None:
    gateway = stripe_on_double()
    begun = gateway.setup_method(SetupRequest("setup-1", a_customer(gateway)))
    method = double.new_method("ok")
    double.finish_setup(begun.reference, method)
    double._emit("payment_method.automatically_updated", double.objects[method])
    double._emit("mandate.updated", {"id": "mandate_1", "status": "inactive", "payment_method": method})
    double._emit("customer.updated", {"id": "cus_1"})
    gateway.detach(method)
    saved, updated, revoked, gone = told(double, gateway)
    assert isinstance(saved, MethodSaved)
    assert (saved.setup_reference, saved.method_reference) == (begun.reference, method)
    assert isinstance(updated, MethodChanged)
    assert updated.method.exp_year == 2031
    assert isinstance(revoked, MethodGone)
    assert isinstance(gone, MethodGone)
    assert (revoked.reason, gone.reason) == ("mandate_revoked", "detached")


def test_a_changed_byte_another_secret_and_an_old_signature_are_refused_pay7(
    double: StripeDouble, stripe_on_double: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = stripe_on_double()
    double._emit("customer.updated", {"id": "cus_1"})
    body, headers = double.signed(double.events[0])
    assert gateway.parse_webhook(body, {"stripe-signature": headers["Stripe-Signature"]}) == []
    for bad in [(body + b" ", headers), double.signed(double.events[0], "whsec_other"), (b"\xff", headers)]:
        with pytest.raises(SignatureError):
            gateway.parse_webhook(*bad)
    later = datetime.now(UTC).timestamp() + 600
    monkeypatch.setattr("time.time", lambda: later)
    with pytest.raises(SignatureError):
        gateway.parse_webhook(body, headers)
