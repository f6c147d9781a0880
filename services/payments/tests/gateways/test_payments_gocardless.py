"""The GoCardless adapter with the real SDK against the wire double: mandates, debits, faults, refunds, events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from gocardless_wire_double import ACCESS_TOKEN, WEBHOOK_SECRET, GoCardlessDouble, running_gocardless

from common.money import Money
from payments.gateways.events import ChargeChanged, DisputeChanged, DisputeState, MethodGone, MethodSaved
from payments.gateways.gocardless import GoCardlessConnection, GoCardlessCredentials, GoCardlessGateway
from payments.gateways.port import (
    ChargeRequest,
    ChargeState,
    CredentialsRejectedError,
    CustomerDetails,
    FailureKind,
    GatewayRejectedError,
    MethodKind,
    RefundRequest,
    RefundState,
    SetupRequest,
    SignatureError,
    UnsupportedByGatewayError,
)

EUROS = Money(4500, "EUR")


@pytest.fixture
def world() -> Iterator[tuple[GoCardlessDouble, str]]:
    """A fresh double and its address."""
    with running_gocardless() as running:
        yield running


@pytest.fixture
def double(world: tuple[GoCardlessDouble, str]) -> GoCardlessDouble:
    """The provider's side."""
    return world[0]


@pytest.fixture
def connect(world: tuple[GoCardlessDouble, str]) -> Callable[..., GoCardlessGateway]:
    """Builds an adapter on the double."""

    def build(token: str = ACCESS_TOKEN) -> GoCardlessGateway:
        return GoCardlessGateway(GoCardlessCredentials(token, WEBHOOK_SECRET), GoCardlessConnection(world[1], 2, 2))

    return build


@pytest.fixture
def gateway(connect: Callable[..., GoCardlessGateway]) -> GoCardlessGateway:
    """The adapter."""
    return connect()


def a_request(double: GoCardlessDouble, gateway: GoCardlessGateway) -> ChargeRequest:
    """A charge on a signed mandate."""
    customer = gateway.create_customer(CustomerDetails("Example Member", "member@example.com"), "customer")
    ids = {"payment_id": "pay_1", "invoice_id": "inv_1"}
    return ChargeRequest("inv_1:1", EUROS, customer, double.mandate(customer), "INV-1", ids)


def test_credentials_are_checked_and_never_live_in_the_sandbox(connect: Callable[..., GoCardlessGateway]) -> None:
    account = connect().check_credentials()
    assert (account.live, account.label) == (False, "GoCardless (Harbour Works)")
    with pytest.raises(CredentialsRejectedError):
        connect("sandbox_wrong").check_credentials()


def test_pay_10_a_mandate_is_signed_on_their_page(double: GoCardlessDouble, gateway: GoCardlessGateway) -> None:
    customer = gateway.create_customer(CustomerDetails("Example Member"), "customer")
    assert gateway.create_customer(CustomerDetails("Example Member"), "customer") == customer
    begun = gateway.setup_method(SetupRequest("setup", customer, [MethodKind.CARD, MethodKind.SEPA_DEBIT]))
    assert begun.url is not None
    assert begun.method is None
    assert gateway.complete_setup(begun.reference).method is None
    mandate = double.sign_mandate(begun.reference)
    method = gateway.complete_setup(begun.reference).method
    assert method is not None
    assert (method.reference, method.kind, method.last4) == (mandate, MethodKind.SEPA_DEBIT, "11")
    with pytest.raises(UnsupportedByGatewayError):
        gateway.setup_method(SetupRequest("cards", customer, [MethodKind.CARD]))
    with pytest.raises(GatewayRejectedError, match="another customer"):
        gateway.attach("CU999999", mandate)


def test_pay_3_a_debit_is_pending_then_confirmed(double: GoCardlessDouble, gateway: GoCardlessGateway) -> None:
    request = a_request(double, gateway)
    made = gateway.charge(request)
    assert made.state is ChargeState.PENDING
    assert gateway.charge(request) == made, "the same key is the same debit"
    reference = made.provider_reference or ""
    double.happen(reference, "confirmed")
    assert gateway.fetch_charge(reference).state is ChargeState.SUCCEEDED
    assert double.debits == 1


@pytest.mark.parametrize(
    ("cause", "kind"), [("insufficient_funds", FailureKind.SOFT), ("bank_account_closed", FailureKind.HARD)]
)
def test_pay_2_a_failed_debit_says_why(
    double: GoCardlessDouble, gateway: GoCardlessGateway, cause: str, kind: FailureKind
) -> None:
    reference = gateway.charge(a_request(double, gateway)).provider_reference or ""
    double.happen(reference, "failed", cause)
    outcome = gateway.fetch_charge(reference)
    assert (outcome.state, outcome.failure_code, outcome.failure_kind) == (ChargeState.FAILED, cause, kind)


def test_pay_1_an_answer_that_is_lost_for_good_is_unknown_and_found(
    double: GoCardlessDouble, gateway: GoCardlessGateway
) -> None:
    request = a_request(double, gateway)
    double.faults += ["lost_answer", "lost_request", "lost_request"]
    assert gateway.charge(request).state is ChargeState.UNKNOWN
    found = gateway.find_charge(request)
    assert found is not None
    assert (found.state, double.debits) == (ChargeState.PENDING, 1)


def test_pay_1_the_sdk_repeats_a_lost_answer_with_the_same_key(
    double: GoCardlessDouble, gateway: GoCardlessGateway
) -> None:
    request = a_request(double, gateway)
    double.faults += ["lost_answer"]
    assert gateway.charge(request).state is ChargeState.PENDING
    assert double.debits == 1


def test_pay_1_a_broken_provider_is_unknown_and_a_lost_request_is_not_found(
    double: GoCardlessDouble, gateway: GoCardlessGateway
) -> None:
    request = a_request(double, gateway)
    double.faults += ["lost_request"] * 3
    assert gateway.charge(request).state is ChargeState.UNKNOWN
    assert gateway.find_charge(request) is None
    double.faults += ["broken"]
    assert gateway.charge(request).state is ChargeState.UNKNOWN
    assert gateway.charge(request).state is ChargeState.PENDING
    assert double.debits == 1


def test_a_cancelled_mandate_is_a_hard_failure_and_wrong_keys_are_soft(
    double: GoCardlessDouble, gateway: GoCardlessGateway, connect: Callable[..., GoCardlessGateway]
) -> None:
    request = a_request(double, gateway)
    refused = connect("sandbox_wrong").charge(request)
    assert (refused.failure_code, refused.failure_kind) == ("gateway_credentials_rejected", FailureKind.SOFT)
    gateway.detach(request.method_reference or "")
    gateway.detach(request.method_reference or "")
    outcome = gateway.charge(request)
    assert (outcome.failure_code, outcome.failure_kind) == ("mandate_is_inactive", FailureKind.HARD)


def test_a_debit_is_cancelled_only_before_it_goes_to_the_bank(
    double: GoCardlessDouble, gateway: GoCardlessGateway
) -> None:
    request = a_request(double, gateway)
    first = gateway.charge(request).provider_reference or ""
    assert gateway.cancel_charge(first).state is ChargeState.FAILED
    second = gateway.charge(replace(request, idempotency_key="inv_1:2")).provider_reference or ""
    double.happen(second, "submitted")
    assert gateway.cancel_charge(second).state is ChargeState.PENDING


def test_pay_5_refunds_add_up_and_are_made_once(double: GoCardlessDouble, gateway: GoCardlessGateway) -> None:
    reference = gateway.charge(a_request(double, gateway)).provider_reference or ""
    double.happen(reference, "paid_out")
    first = RefundRequest("refund:1", reference, Money(1000, "EUR"))
    assert gateway.refund(first).state is RefundState.PENDING
    assert gateway.refund(first) == gateway.find_refund(first)
    assert gateway.refund(RefundRequest("refund:2", reference, Money(3500, "EUR"))).state is RefundState.PENDING
    assert gateway.refund(RefundRequest("refund:3", reference, Money(1, "EUR"))).state is RefundState.FAILED
    assert len(double.things["refunds"]) == 2


def test_pay_7_events_are_read_and_late_failures_take_the_money_back(
    double: GoCardlessDouble, gateway: GoCardlessGateway
) -> None:
    request = a_request(double, gateway)
    reference = gateway.charge(request).provider_reference or ""
    for action in ("confirmed", "failed", "charged_back", "chargeback_cancelled"):
        double.happen(reference, action, "insufficient_funds" if action == "failed" else None)
    double.emit("mandates", "cancelled", {"mandate": "MD1"})
    double.emit("billing_requests", "fulfilled", {"billing_request": "BRQ1"})
    double.emit("payouts", "paid", {"payout": "PO1"})
    body, headers = double.signed(*double.things["events"].values())
    confirmed, failed, opened, won, gone, saved = gateway.parse_webhook(body, headers)
    assert isinstance(confirmed, ChargeChanged)
    assert (confirmed.payment_id, confirmed.idempotency_key) == ("pay_1", "inv_1:1")
    assert confirmed.outcome.state is ChargeState.SUCCEEDED
    assert isinstance(failed, ChargeChanged)
    assert (failed.taken_back, failed.outcome.failure_code) == (True, "insufficient_funds")
    assert isinstance(opened, DisputeChanged)
    assert isinstance(won, DisputeChanged)
    assert (opened.state, won.state) == (DisputeState.OPENED, DisputeState.WON)
    assert opened.dispute_reference == won.dispute_reference
    assert isinstance(gone, MethodGone)
    assert isinstance(saved, MethodSaved)


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_pay_7_what_is_not_signed_with_our_secret_is_refused(
    double: GoCardlessDouble, gateway: GoCardlessGateway, secret: str
) -> None:
    body, headers = double.signed(secret=secret)
    with pytest.raises(SignatureError):
        gateway.parse_webhook(body, headers)
    with pytest.raises(SignatureError):
        gateway.parse_webhook(body, {})
