"""The sandbox: every token's promise, and that any process tells the same story from the references alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.money import Money
from payments.gateways.events import ChargeChanged, DisputeChanged, DisputeState
from payments.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    ChargeState,
    CustomerDetails,
    FailureKind,
    GatewayRejectedError,
    MethodKind,
    RefundRequest,
    RefundState,
    SetupRequest,
    SignatureError,
)
from payments.gateways.sandbox import SandboxGateway
from payments.gateways.sandbox_tokens import BEHAVIOURS
from payments.gateways.sandbox_webhooks import sign_charge_event, sign_dispute_event

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def request_with(token: str, key: str = "inv_1:1", attempt: int = 1) -> ChargeRequest:
    gateway = SandboxGateway()
    customer = gateway.create_customer(CustomerDetails("Example Member"), "mem_1")
    method = gateway.setup_method(SetupRequest("setup", customer, token=token)).method
    assert method is not None
    return ChargeRequest(key, Money(34500, "EUR"), customer, method.reference, attempt=attempt)


@pytest.mark.parametrize(
    ("token", "state", "code", "kind"),
    [
        ("sandbox_ok", "succeeded", None, None),
        ("sandbox_declined", "failed", "generic_decline", "soft"),
        ("sandbox_insufficient_funds", "failed", "insufficient_funds", "soft"),
        ("sandbox_lost_card", "failed", "lost_card", "hard"),
        ("sandbox_pending", "pending", None, None),
        ("sandbox_pending_fails", "pending", None, None),
        ("sandbox_sepa", "pending", None, None),
        ("sandbox_ach", "pending", None, None),
        ("sandbox_bacs", "pending", None, None),
        ("sandbox_3ds", "action_required", None, None),
        ("sandbox_timeout", "unknown", "timeout", None),
    ],
)
def test_each_token_keeps_its_promise(token: str, state: str, code: str | None, kind: str | None) -> None:
    outcome = SandboxGateway().charge(request_with(token))
    assert (outcome.state, outcome.failure_code, outcome.failure_kind) == (state, code, kind)


@pytest.mark.parametrize("token", BEHAVIOURS)
def test_two_processes_agree_on_every_charge(token: str) -> None:
    one, other = SandboxGateway(), SandboxGateway()
    request = request_with(token)
    outcome = one.charge(request)
    assert other.charge(request) == outcome
    if outcome.provider_reference is not None:
        assert other.fetch_charge(outcome.provider_reference) == outcome


def test_a_timeout_hides_a_charge_that_was_made_pay1() -> None:
    gateway, request = SandboxGateway(), request_with("sandbox_timeout")
    assert gateway.charge(request).provider_reference is None
    found = gateway.find_charge(request)
    assert found is not None
    assert found.state is ChargeState.SUCCEEDED
    assert found.provider_reference is not None
    assert gateway.fetch_charge(found.provider_reference) == found


@pytest.mark.parametrize(("token", "end"), [("sandbox_pending", "succeeded"), ("sandbox_pending_fails", "failed")])
def test_a_pending_charge_settles_exactly_when_it_said(token: str, end: str) -> None:
    gateway = SandboxGateway()
    outcome = gateway.charge(request_with(token))
    assert outcome.provider_reference is not None
    assert outcome.settles_after == timedelta(days=3)
    early = gateway.fetch_charge(outcome.provider_reference, age=timedelta(days=3, microseconds=-1))
    assert early.state is ChargeState.PENDING
    assert gateway.fetch_charge(outcome.provider_reference, age=timedelta(days=3)).state == end


def test_a_card_declined_once_is_good_at_the_second_attempt_pay2() -> None:
    gateway, request = SandboxGateway(), request_with("sandbox_declined_once")
    assert gateway.charge(request).failure_kind is FailureKind.SOFT
    again = replace(request, idempotency_key="inv_1:2", attempt=2)
    assert gateway.charge(again).state is ChargeState.SUCCEEDED


@pytest.mark.parametrize(("succeeded", "end"), [(True, ChargeState.SUCCEEDED), (False, ChargeState.FAILED)])
def test_the_members_confirmation_decides_the_same_charge(succeeded: bool, end: ChargeState) -> None:
    gateway = SandboxGateway()
    waiting = gateway.charge(request_with("sandbox_3ds"))
    assert waiting.provider_reference is not None
    done = gateway.complete_action(waiting.provider_reference, succeeded=succeeded)
    assert (done.state, done.provider_reference) == (end, waiting.provider_reference)


def test_confirming_a_charge_that_needs_nothing_changes_nothing() -> None:
    gateway = SandboxGateway()
    declined = gateway.charge(request_with("sandbox_lost_card"))
    assert declined.provider_reference is not None
    assert gateway.complete_action(declined.provider_reference) == declined


def test_a_guest_charge_waits_for_the_element() -> None:
    gateway = SandboxGateway()
    waiting = gateway.charge(replace(request_with("sandbox_ok"), method_reference=None))
    assert waiting.state is ChargeState.ACTION_REQUIRED
    assert waiting.provider_reference is not None
    assert gateway.complete_action(waiting.provider_reference).state is ChargeState.SUCCEEDED


@pytest.mark.parametrize(
    ("token", "kind", "brand", "last4"),
    [
        ("sandbox_ok", MethodKind.CARD, "visa", "4242"),
        ("sandbox_mastercard", MethodKind.CARD, "mastercard", "4444"),
        ("sandbox_sepa", MethodKind.SEPA_DEBIT, None, "3000"),
        ("sandbox_ach", MethodKind.ACH_DEBIT, None, "6789"),
        ("sandbox_bacs", MethodKind.BACS_DEBIT, None, "2345"),
    ],
)
def test_methods_look_like_real_ones(token: str, kind: MethodKind, brand: str | None, last4: str) -> None:
    gateway = SandboxGateway()
    method = gateway.attach(gateway.create_customer(CustomerDetails("A"), "a"), token)
    assert (method.kind, method.brand, method.last4) == (kind, brand, last4)


def test_a_card_can_be_made_to_expire_pay9() -> None:
    gateway = SandboxGateway()
    method = gateway.attach(gateway.create_customer(CustomerDetails("A"), "a"), "sandbox_expires_2027_05")
    assert (method.exp_year, method.exp_month) == (2027, 5)


@pytest.mark.parametrize("token", ["sandbox_unheard_of", "", "pm_1", "sandbox_expires_2027_13", "a.b"])
def test_unknown_tokens_are_refused(token: str) -> None:
    gateway = SandboxGateway()
    customer = gateway.create_customer(CustomerDetails("A"), "a")
    with pytest.raises(GatewayRejectedError):
        gateway.setup_method(SetupRequest("k", customer, token=token))


def test_a_setup_without_a_token_is_refused_in_words() -> None:
    with pytest.raises(GatewayRejectedError, match="sandbox_ok"):
        SandboxGateway().setup_method(SetupRequest("k", "sbx_cus.1"))


@pytest.mark.parametrize("reference", ["", "pi_1", "sbx_ch.sandbox_ok.1.x.EUR.d", "sbx_ch.sandbox_no.1.1.EUR.d"])
def test_foreign_references_are_refused(reference: str) -> None:
    with pytest.raises(GatewayRejectedError):
        SandboxGateway().fetch_charge(reference)


def test_signed_events_come_back_as_they_were_told_pay7() -> None:
    gateway = SandboxGateway("secret")
    outcome = ChargeOutcome(ChargeState.FAILED, "sbx_ch.x", "insufficient_funds", FailureKind.SOFT)
    body, headers = sign_charge_event(outcome, secret="secret", occurred_at=NOON, payment_id="pay_1", taken_back=True)
    (event,) = gateway.parse_webhook(body, headers)
    assert event == ChargeChanged(event.event_id, NOON, outcome, "pay_1", taken_back=True)
    amount = Money(34500, "EUR")
    body, headers = sign_dispute_event("sbx_ch.x", amount, DisputeState.LOST, secret="secret", occurred_at=NOON)
    (dispute,) = gateway.parse_webhook(body, headers)
    assert isinstance(dispute, DisputeChanged)
    assert (dispute.state, dispute.amount) == (DisputeState.LOST, amount)


def test_without_a_secret_no_event_is_believed() -> None:
    body, headers = sign_charge_event(
        ChargeOutcome(ChargeState.SUCCEEDED, "sbx_ch.x"), secret="guess", occurred_at=NOON
    )
    for gateway in (SandboxGateway(), SandboxGateway("another")):
        with pytest.raises(SignatureError):
            gateway.parse_webhook(body, headers)


def test_a_refund_goes_up_to_the_charge_and_no_further_pay5() -> None:
    gateway = SandboxGateway()
    made = gateway.charge(request_with("sandbox_ok"))
    assert made.provider_reference is not None
    request = RefundRequest("r", made.provider_reference, Money(34500, "EUR"))
    assert gateway.refund(request).state is RefundState.SUCCEEDED
    assert gateway.refund(replace(request, amount=Money(34501, "EUR"))).state is RefundState.FAILED
