"""ONE contract for every adapter of the port: the sandbox, Stripe on localstripe, Stripe on the wire double (PAY-6)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

import pytest
import stripe
from localstripe_process import API_KEY as LOCAL_KEY
from localstripe_process import LocalstripeClient
from stripe_wire_double import StripeDouble

from common.money import Money
from payments.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    ChargeState,
    CustomerDetails,
    FailureKind,
    GatewayRejectedError,
    MethodKind,
    PaymentGateway,
    RefundRequest,
    RefundState,
    SetupRequest,
    SignatureError,
)
from payments.gateways.sandbox import SandboxGateway
from payments.gateways.stripe import StripeConnection, StripeCredentials, StripeGateway

MONTHS = timedelta(days=60)


@dataclass
class Provider:
    """An adapter and what this provider's test world offers. A token name absent from ``tokens`` is not to be had."""

    gateway: PaymentGateway
    token: Callable[[str], str | None]
    settle: Callable[[str], None] = lambda reference: None
    # What localstripe cannot do.
    lacks: frozenset[str] = field(default_factory=frozenset)

    def customer(self) -> str:
        return self.gateway.create_customer(CustomerDetails("Example Member", "member@example.com"), uuid4().hex)

    def method(self, name: str) -> tuple[str, str]:
        """A customer with an attached method of that behaviour."""
        token = self.token(name)
        if token is None:
            pytest.skip(f"this provider's test world has no {name!r} method")
        customer = self.customer()
        outcome = self.gateway.setup_method(SetupRequest(uuid4().hex, customer, token=token))
        assert outcome.method is not None
        return customer, outcome.method.reference

    def request(self, name: str = "ok") -> ChargeRequest:
        customer, method = self.method(name)
        ids = {"organization_id": "org_1", "invoice_id": "inv_1", "payment_id": uuid4().hex}
        return ChargeRequest(uuid4().hex, Money(18214, "EUR"), customer, method, "INV-2027-00001", ids)

    def needs(self, ability: str) -> None:
        if ability in self.lacks:
            pytest.skip(f"this provider's test world lacks {ability!r}")


SANDBOX_TOKENS = {
    "ok": "sandbox_ok",
    "declined": "sandbox_declined",
    "insufficient": "sandbox_insufficient_funds",
    "lost": "sandbox_lost_card",
    "authentication": "sandbox_3ds",
    "sepa": "sandbox_sepa",
    "sepafails": "sandbox_pending_fails",
}
LOCAL_CARDS = {"ok": "4242424242424242", "declined": "4000000000000341", "authentication": "4000002500003155"}


def local_token(client: stripe.StripeClient, name: str) -> str | None:
    if name == "sepafails":
        debit = {"type": "sepa_debit", "sepa_debit": {"iban": "DE62370400440532013001"}}
        return client.v1.payment_methods.create(debit).id
    if name not in LOCAL_CARDS:
        return None
    card = {"number": LOCAL_CARDS[name], "exp_month": 12, "exp_year": 2031, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": card}).id


@pytest.fixture(params=["sandbox", "stripe-localstripe", "stripe-double"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """Every adapter in turn, with its test world."""
    if request.param == "sandbox":
        yield Provider(SandboxGateway(webhook_secret="whsec"), SANDBOX_TOKENS.get)
    elif request.param == "stripe-localstripe":
        address = request.getfixturevalue("localstripe_address")
        http = LocalstripeClient(timeout=(2, 10))
        client = stripe.StripeClient(LOCAL_KEY, base_addresses={"api": address}, http_client=http)
        gateway = StripeGateway(StripeCredentials(LOCAL_KEY, "whsec"), StripeConnection(address, http_client=http))
        yield Provider(
            gateway,
            lambda name: local_token(client, name),
            settle=lambda reference: time.sleep(0.8),
            lacks=frozenset({"idempotency keys", "refund limits", "ownership"}),
        )
        http.close()
    else:
        double: StripeDouble = request.getfixturevalue("double")
        gateway = request.getfixturevalue("stripe_on_double")()
        yield Provider(gateway, double.new_method, settle=double.settle)


def test_credentials_of_a_test_account_are_told_as_not_live(provider: Provider) -> None:
    assert provider.gateway.check_credentials().live is False


def test_capabilities_name_cards_and_debits(provider: Provider) -> None:
    assert {MethodKind.CARD, MethodKind.SEPA_DEBIT} <= provider.gateway.capabilities().kinds


def test_setup_with_a_token_saves_a_recognisable_card(provider: Provider) -> None:
    customer = provider.customer()
    outcome = provider.gateway.setup_method(SetupRequest("k", customer, token=provider.token("ok")))
    assert outcome.method is not None
    method = outcome.method
    assert (method.kind, method.brand, method.last4) == (MethodKind.CARD, "visa", "4242")
    assert method.customer_reference == customer
    assert method.exp_year is not None
    assert provider.gateway.complete_setup(outcome.reference).method == method


def test_attaching_again_changes_nothing(provider: Provider) -> None:
    customer, method = provider.method("ok")
    assert provider.gateway.attach(customer, method).reference == method


def test_attaching_an_unknown_method_is_refused(provider: Provider) -> None:
    with pytest.raises(GatewayRejectedError):
        provider.gateway.attach(provider.customer(), "pm_of_nobody")


def test_detaching_twice_and_detaching_nothing_are_fine(provider: Provider) -> None:
    _, method = provider.method("ok")
    provider.gateway.detach(method)
    provider.gateway.detach(method)
    provider.gateway.detach("pm_of_nobody")


def test_charge_of_a_good_card_succeeds_and_is_found_again(provider: Provider) -> None:
    request = provider.request()
    outcome = provider.gateway.charge(request)
    assert outcome == ChargeOutcome(ChargeState.SUCCEEDED, outcome.provider_reference)
    assert outcome.provider_reference is not None
    assert provider.gateway.fetch_charge(outcome.provider_reference) == outcome
    assert provider.gateway.find_charge(request) == outcome


def test_same_key_is_the_same_charge_pay1(provider: Provider) -> None:
    provider.needs("idempotency keys")
    request = provider.request()
    assert provider.gateway.charge(request) == provider.gateway.charge(request)


def test_another_key_is_another_charge(provider: Provider) -> None:
    request = provider.request()
    first = provider.gateway.charge(request)
    second = provider.gateway.charge(replace(request, idempotency_key=uuid4().hex))
    assert first.provider_reference != second.provider_reference


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("declined", None, FailureKind.SOFT),
        ("insufficient", "insufficient_funds", FailureKind.SOFT),
        ("lost", "lost_card", FailureKind.HARD),
    ],
)
def test_declines_are_soft_or_hard_pay2(provider: Provider, name: str, code: str | None, kind: FailureKind) -> None:
    outcome = provider.gateway.charge(provider.request(name))
    assert (outcome.state, outcome.failure_kind) == (ChargeState.FAILED, kind)
    assert outcome.failure_code
    assert code is None or outcome.failure_code == code


def test_a_decline_is_found_again_with_its_kind(provider: Provider) -> None:
    request = provider.request("declined")
    outcome = provider.gateway.charge(request)
    found = provider.gateway.find_charge(request)
    assert found is not None
    assert (found.state, found.failure_kind) == (ChargeState.FAILED, outcome.failure_kind)


def test_charge_with_an_unknown_method_fails_for_good_without_an_exception(provider: Provider) -> None:
    request = replace(provider.request(), method_reference="pm_of_nobody")
    outcome = provider.gateway.charge(request)
    assert (outcome.state, outcome.failure_kind) == (ChargeState.FAILED, FailureKind.HARD)


def test_charge_with_another_customers_method_fails(provider: Provider) -> None:
    provider.needs("ownership")
    request = replace(provider.request(), customer_reference=provider.customer())
    assert provider.gateway.charge(request).state is ChargeState.FAILED


def test_a_debit_is_pending_and_succeeds_later_pay3(provider: Provider) -> None:
    outcome = provider.gateway.charge(provider.request("sepa"))
    assert outcome.state is ChargeState.PENDING
    assert outcome.provider_reference is not None
    provider.settle(outcome.provider_reference)
    settled = provider.gateway.fetch_charge(outcome.provider_reference, age=MONTHS)
    assert settled == ChargeOutcome(ChargeState.SUCCEEDED, outcome.provider_reference)


def test_a_debit_may_fail_days_later_pay3(provider: Provider) -> None:
    outcome = provider.gateway.charge(provider.request("sepafails"))
    assert outcome.state is ChargeState.PENDING
    assert outcome.provider_reference is not None
    provider.settle(outcome.provider_reference)
    settled = provider.gateway.fetch_charge(outcome.provider_reference, age=MONTHS)
    assert (settled.state, settled.failure_kind) == (ChargeState.FAILED, FailureKind.SOFT)


def test_a_card_that_wants_confirmation_needs_the_member(provider: Provider) -> None:
    outcome = provider.gateway.charge(provider.request("authentication"))
    assert outcome.state is ChargeState.ACTION_REQUIRED
    assert outcome.provider_reference is not None
    assert outcome.client_secret is not None


def test_a_charge_that_waits_for_the_member_can_be_given_up(provider: Provider) -> None:
    waiting = provider.gateway.charge(provider.request("authentication"))
    assert waiting.provider_reference is not None
    cancelled = provider.gateway.cancel_charge(waiting.provider_reference)
    assert (cancelled.state, cancelled.failure_code) == (ChargeState.FAILED, "canceled")


def test_giving_up_a_charge_that_has_succeeded_tells_so(provider: Provider) -> None:
    made = provider.gateway.charge(provider.request())
    assert made.provider_reference is not None
    assert provider.gateway.cancel_charge(made.provider_reference).state is ChargeState.SUCCEEDED


def test_a_charge_never_made_is_not_found(provider: Provider) -> None:
    request = replace(provider.request(), method_reference="pm_of_nobody")
    assert provider.gateway.find_charge(request) is None


def test_fetching_an_unknown_charge_is_refused(provider: Provider) -> None:
    with pytest.raises(GatewayRejectedError):
        provider.gateway.fetch_charge("pi_of_nobody")


def test_refunds_in_part_are_apart_and_found_again_pay5(provider: Provider) -> None:
    made = provider.gateway.charge(provider.request())
    assert made.provider_reference is not None
    first = RefundRequest(uuid4().hex, made.provider_reference, Money(10000, "EUR"), "moved out")
    second = replace(first, idempotency_key=uuid4().hex, amount=Money(8214, "EUR"))
    outcomes = [provider.gateway.refund(first), provider.gateway.refund(second)]
    assert [outcome.state for outcome in outcomes] == [RefundState.SUCCEEDED] * 2
    assert outcomes[0].provider_reference != outcomes[1].provider_reference
    assert provider.gateway.find_refund(second) == outcomes[1]


def test_same_key_is_the_same_refund(provider: Provider) -> None:
    provider.needs("idempotency keys")
    made = provider.gateway.charge(provider.request())
    assert made.provider_reference is not None
    request = RefundRequest(uuid4().hex, made.provider_reference, Money(100, "EUR"))
    assert provider.gateway.refund(request) == provider.gateway.refund(request)


def test_a_refund_of_more_than_was_paid_fails_pay5(provider: Provider) -> None:
    provider.needs("refund limits")
    made = provider.gateway.charge(provider.request())
    assert made.provider_reference is not None
    outcome = provider.gateway.refund(RefundRequest(uuid4().hex, made.provider_reference, Money(18215, "EUR")))
    assert outcome.state is RefundState.FAILED


def test_a_refund_of_nothing_we_know_fails_without_an_exception(provider: Provider) -> None:
    outcome = provider.gateway.refund(RefundRequest(uuid4().hex, "pi_of_nobody", Money(1, "EUR")))
    assert outcome.state is RefundState.FAILED


@pytest.mark.parametrize("headers", [{}, {"Stripe-Signature": "t=1,v1=00", "Sandbox-Signature": "00"}])
def test_unsigned_webhooks_are_refused_pay7(provider: Provider, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        provider.gateway.parse_webhook(b'{"type": "payment_intent.succeeded"}', headers)
