"""ONE contract for every adapter of the port (PAY-6): the sandbox, Stripe on localstripe and on the wire double,
GoCardless on its wire double, and manual payments as far as the port goes for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import stripe
from gocardless_wire_double import ACCESS_TOKEN, GoCardlessDouble, running_gocardless
from localstripe_process import API_KEY as LOCAL_KEY
from localstripe_process import LocalstripeClient
from stripe_wire_double import StripeDouble

from common.money import Money
from payments.gateways.gocardless import GoCardlessConnection, GoCardlessCredentials, GoCardlessGateway
from payments.gateways.manual import ManualGateway
from payments.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    ChargeState,
    CustomerDetails,
    FailureKind,
    GatewayRejectedError,
    ItemKind,
    MethodKind,
    PaymentGateway,
    PayoutDetails,
    PayoutState,
    RefundOutcome,
    RefundRequest,
    RefundState,
    SetupRequest,
    SignatureError,
    UnsupportedByGatewayError,
)
from payments.gateways.sandbox import SandboxGateway
from payments.gateways.stripe import StripeConnection, StripeCredentials, StripeGateway

MONTHS = timedelta(days=60)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Provider:
    """An adapter and what this provider's test world offers.

    ``token`` gives what its element or page would leave behind for a customer: None for a behaviour not to be had.
    """

    gateway: PaymentGateway
    token: Callable[[str, str], str | None] = lambda name, customer: None
    settle: Callable[[str], object] = lambda reference: None
    settle_refund: Callable[[str], object] = lambda reference: None
    pay_out: Callable[[], str] | None = None
    # What the provider, or its test world, cannot do.
    lacks: frozenset[str] = field(default_factory=frozenset)

    def customer(self) -> str:
        self.needs("collecting")
        return self.gateway.create_customer(CustomerDetails("Example Member", "member@example.com"), uuid4().hex)

    def method(self, name: str) -> tuple[str, str]:
        """A customer with an attached method of that behaviour."""
        customer = self.customer()
        token = self.token(name, customer)
        if token is None:
            pytest.skip(f"this provider's test world has no {name!r} method")
        outcome = self.gateway.setup_method(SetupRequest(uuid4().hex, customer, token=token))
        assert outcome.method is not None
        return customer, outcome.method.reference

    def request(self, name: str = "ok") -> ChargeRequest:
        customer, method = self.method(name)
        ids = {"invoice_id": "inv_1", "payment_id": uuid4().hex}
        return ChargeRequest(uuid4().hex, Money(18214, "EUR"), customer, method, "INV-2027-00001", ids)

    def paid(self, request: ChargeRequest | None = None) -> str:
        """The reference of a charge whose money is there: at once, or once the bank had its days."""
        outcome = self.gateway.charge(request or self.request())
        assert outcome.provider_reference is not None
        if outcome.state is ChargeState.PENDING:
            self.settle(outcome.provider_reference)
        return outcome.provider_reference

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


def sandbox() -> Iterator[Provider]:
    yield Provider(SandboxGateway(webhook_secret="whsec"), lambda name, _customer: SANDBOX_TOKENS.get(name))


def on_localstripe(request: pytest.FixtureRequest) -> Iterator[Provider]:
    address = request.getfixturevalue("localstripe_address")
    http = LocalstripeClient(timeout=(2, 10))
    client = stripe.StripeClient(LOCAL_KEY, base_addresses={"api": address}, http_client=http)
    gateway = StripeGateway(StripeCredentials(LOCAL_KEY, "whsec"), StripeConnection(address, http_client=http))
    yield Provider(
        gateway,
        partial(local_token, client),
        settle=lambda reference: time.sleep(0.8),
        pay_out=lambda: client.v1.payouts.create({"amount": 5000, "currency": "eur"}).id,
        lacks=frozenset({"idempotency keys", "refund limits", "ownership", "items of payouts"}),
    )
    http.close()


def local_token(client: stripe.StripeClient, name: str, _customer: str) -> str | None:
    if name == "sepafails":
        debit = {"type": "sepa_debit", "sepa_debit": {"iban": "DE62370400440532013001"}}
        return client.v1.payment_methods.create(debit).id
    if name not in LOCAL_CARDS:
        return None
    card = {"number": LOCAL_CARDS[name], "exp_month": 12, "exp_year": 2031, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": card}).id


def on_stripe_double(request: pytest.FixtureRequest) -> Iterator[Provider]:
    double: StripeDouble = request.getfixturevalue("double")
    yield Provider(
        request.getfixturevalue("stripe_on_double")(),
        lambda name, _customer: double.new_method(name),
        settle=double.settle,
        settle_refund=double.settle_refund,
        pay_out=double.pay_out,
    )


def on_gocardless() -> Iterator[Provider]:
    with running_gocardless() as (double, address):
        keys = GoCardlessCredentials(ACCESS_TOKEN, "whsec_of_tests")
        yield Provider(
            GoCardlessGateway(keys, GoCardlessConnection(address, 2, 2)),
            partial(mandate, double),
            settle=double.settle,
            settle_refund=double.settle_refund,
            pay_out=double.pay_out,
            # A payment names its mandate only, whose customer it cannot miss.
            lacks=frozenset({"cards", "ownership"}),
        )


def mandate(double: GoCardlessDouble, name: str, customer: str) -> str | None:
    """Every mandate is a debit; declines at once and confirmations are for cards."""
    fails = {"ok": None, "sepa": None, "sepafails": "insufficient_funds"}
    return double.mandate(customer, fails=fails[name]) if name in fails else None


def by_hand() -> Iterator[Provider]:
    yield Provider(ManualGateway(), lacks=frozenset({"collecting", "cards", "webhooks", "test accounts", "debits"}))


@pytest.fixture(params=["sandbox", "stripe-localstripe", "stripe-double", "gocardless", "manual"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """Every adapter in turn, with its test world."""
    if request.param == "stripe-localstripe":
        yield from on_localstripe(request)
    elif request.param == "stripe-double":
        yield from on_stripe_double(request)
    else:
        yield from {"sandbox": sandbox, "gocardless": on_gocardless, "manual": by_hand}[request.param]()


def test_credentials_of_a_test_account_are_told_as_not_live(provider: Provider) -> None:
    provider.needs("test accounts")
    assert provider.gateway.check_credentials().live is False


def test_capabilities_say_what_can_be_done(provider: Provider) -> None:
    can = provider.gateway.capabilities()
    assert can.collects is ("collecting" not in provider.lacks)
    assert (MethodKind.CARD in can.kinds) is ("cards" not in provider.lacks)
    assert (MethodKind.SEPA_DEBIT in can.kinds) is ("debits" not in provider.lacks)
    assert can.webhooks is ("webhooks" not in provider.lacks)
    assert can.payouts is (provider.pay_out is not None)


def test_setup_with_a_token_saves_a_recognisable_card(provider: Provider) -> None:
    provider.needs("cards")
    customer = provider.customer()
    outcome = provider.gateway.setup_method(SetupRequest("k", customer, token=provider.token("ok", customer)))
    assert outcome.method is not None
    method = outcome.method
    assert (method.kind, method.brand, method.last4) == (MethodKind.CARD, "visa", "4242")
    assert method.exp_year is not None


def test_setup_with_a_token_saves_a_method_of_that_customer(provider: Provider) -> None:
    customer = provider.customer()
    outcome = provider.gateway.setup_method(SetupRequest("k", customer, token=provider.token("ok", customer)))
    assert outcome.method is not None
    assert outcome.method.customer_reference == customer
    assert outcome.method.last4
    assert provider.gateway.complete_setup(outcome.reference).method == outcome.method


def test_what_is_taken_by_hand_saves_no_method_and_yet_answers_every_charge() -> None:
    gateway = ManualGateway()
    with pytest.raises(UnsupportedByGatewayError):
        gateway.setup_method(SetupRequest("k", "customer", token="token"))
    request = ChargeRequest("k", Money(1, "EUR"), "customer", "method")
    outcome = gateway.charge(request)
    assert (outcome.state, outcome.failure_kind) == (ChargeState.FAILED, FailureKind.HARD)
    assert gateway.find_charge(request) is None


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


def test_charge_of_a_good_card_succeeds_at_once(provider: Provider) -> None:
    provider.needs("cards")
    outcome = provider.gateway.charge(provider.request())
    assert outcome == ChargeOutcome(ChargeState.SUCCEEDED, outcome.provider_reference)


def test_a_charge_whose_money_is_there_is_found_again(provider: Provider) -> None:
    request = provider.request()
    reference = provider.paid(request)
    succeeded = ChargeOutcome(ChargeState.SUCCEEDED, reference)
    assert provider.gateway.fetch_charge(reference) == succeeded
    assert provider.gateway.find_charge(request) == succeeded


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
    assert provider.gateway.cancel_charge(provider.paid()).state is ChargeState.SUCCEEDED


def test_a_charge_never_made_is_not_found(provider: Provider) -> None:
    request = replace(provider.request(), method_reference="pm_of_nobody")
    assert provider.gateway.find_charge(request) is None


def test_fetching_an_unknown_charge_is_refused(provider: Provider) -> None:
    provider.needs("collecting")
    with pytest.raises(GatewayRejectedError):
        provider.gateway.fetch_charge("pi_of_nobody")


def refunded(provider: Provider, request: RefundRequest) -> RefundOutcome:
    """The outcome of a refund once the bank had its days."""
    outcome = provider.gateway.refund(request)
    assert outcome.provider_reference is not None, outcome
    if outcome.state is RefundState.PENDING:
        provider.settle_refund(outcome.provider_reference)
    return provider.gateway.fetch_refund(outcome.provider_reference, age=MONTHS)


def paid_reference(provider: Provider) -> str:
    """Something that can be refunded; what was taken by hand has no charge at a provider."""
    return provider.paid() if "collecting" not in provider.lacks else "pay_taken_by_hand"


def test_refunds_in_part_are_apart_and_found_again_pay5(provider: Provider) -> None:
    first = RefundRequest(uuid4().hex, paid_reference(provider), Money(10000, "EUR"), "moved out")
    second = replace(first, idempotency_key=uuid4().hex, amount=Money(8214, "EUR"))
    outcomes = [refunded(provider, first), refunded(provider, second)]
    assert [outcome.state for outcome in outcomes] == [RefundState.SUCCEEDED] * 2
    assert outcomes[0].provider_reference != outcomes[1].provider_reference
    assert provider.gateway.find_refund(second) == outcomes[1]


def test_same_key_is_the_same_refund(provider: Provider) -> None:
    provider.needs("idempotency keys")
    request = RefundRequest(uuid4().hex, paid_reference(provider), Money(100, "EUR"))
    assert provider.gateway.refund(request) == provider.gateway.refund(request)


def test_a_refund_never_made_is_not_found(provider: Provider) -> None:
    provider.needs("idempotency keys")
    if isinstance(provider.gateway, (SandboxGateway, ManualGateway)):
        pytest.skip("here asking makes it: there is no wire that could lose a refund")
    request = RefundRequest(uuid4().hex, paid_reference(provider), Money(100, "EUR"))
    assert provider.gateway.find_refund(request) is None


def test_fetching_an_unknown_refund_is_refused(provider: Provider) -> None:
    provider.needs("collecting")
    with pytest.raises(GatewayRejectedError):
        provider.gateway.fetch_refund("re_of_nobody")


def test_a_refund_of_more_than_was_paid_fails_pay5(provider: Provider) -> None:
    provider.needs("refund limits")
    provider.needs("collecting")
    outcome = provider.gateway.refund(RefundRequest(uuid4().hex, provider.paid(), Money(18215, "EUR")))
    assert outcome.state is RefundState.FAILED


def test_a_refund_of_nothing_we_know_fails_without_an_exception(provider: Provider) -> None:
    provider.needs("collecting")
    outcome = provider.gateway.refund(RefundRequest(uuid4().hex, "pi_of_nobody", Money(1, "EUR")))
    assert outcome.state is RefundState.FAILED


def payout(provider: Provider) -> PayoutDetails:
    """Everything is paid out; what the adapter says of it."""
    if provider.pay_out is None:
        pytest.skip("this provider pays nothing out")
    reference = provider.pay_out()
    (found,) = [each for each in provider.gateway.payouts(LONG_AGO) if each.reference == reference]
    return found


def test_who_pays_nothing_out_lists_no_payouts(provider: Provider) -> None:
    assert provider.gateway.capabilities().payouts or list(provider.gateway.payouts(LONG_AGO)) == []


def test_a_payout_names_the_charges_and_refunds_it_is_made_of(provider: Provider) -> None:
    provider.needs("items of payouts")
    charge = provider.paid() if provider.pay_out else ""
    request = RefundRequest(uuid4().hex, charge, Money(1000, "EUR"))
    refund = provider.gateway.refund(request).provider_reference if charge else None
    found = payout(provider)
    items = list(provider.gateway.payout_items(found))
    moved = {(item.kind, item.paid, item.charge_reference, item.refund_reference) for item in items if item.paid}
    assert moved == {
        (ItemKind.CHARGE, Money(18214, "EUR"), charge, None),
        (ItemKind.REFUND, Money(-1000, "EUR"), charge, refund),
    }


def test_the_items_of_a_payout_less_their_fees_are_its_amount(provider: Provider) -> None:
    provider.needs("items of payouts")
    for _ in range(3 if provider.pay_out else 0):
        provider.paid()
    found = payout(provider)
    assert found.state is PayoutState.PAID
    items = list(provider.gateway.payout_items(found))
    assert sum(item.amount.amount_minor - item.fee.amount_minor for item in items) == found.amount.amount_minor
    assert any(item.fee or item.kind is ItemKind.FEE for item in items)


def test_payouts_are_listed_from_a_time_on(provider: Provider) -> None:
    found = payout(provider)
    if "items of payouts" in provider.lacks:
        assert found.itemised is False
        assert list(provider.gateway.payout_items(found)) == []
        pytest.skip("localstripe lists every payout, whatever is asked for")
    assert found in provider.gateway.payouts(found.made_at)
    assert list(provider.gateway.payouts(found.made_at + timedelta(seconds=1))) == []


FORGED = {"Stripe-Signature": "t=1,v1=00", "Sandbox-Signature": "00", "Webhook-Signature": "00"}


@pytest.mark.parametrize("headers", [{}, FORGED])
def test_unsigned_webhooks_are_refused_pay7(provider: Provider, headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedByGatewayError if "webhooks" in provider.lacks else SignatureError):
        provider.gateway.parse_webhook(b'{"type": "payment_intent.succeeded"}', headers)
