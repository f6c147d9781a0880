"""Providers by name, their credentials, the manual gateway, and Stripe's way of counting and declining."""

from __future__ import annotations

import pytest

from common.errors import InvalidError
from common.money import Money
from payments.gateways.manual import ManualGateway
from payments.gateways.port import (
    ChargeRequest,
    ChargeState,
    FailureKind,
    GatewayRejectedError,
    MethodKind,
    RefundRequest,
    RefundState,
    SetupRequest,
    UnsupportedByGatewayError,
)
from payments.gateways.registry import PROVIDERS, build_gateway, validate_credentials
from payments.gateways.sandbox import SandboxGateway
from payments.gateways.stripe import StripeGateway
from payments.gateways.stripe_declines import failure_kind
from payments.gateways.stripe_money import from_stripe_amount, to_stripe_amount


def test_every_provider_is_built_from_valid_credentials() -> None:
    assert isinstance(build_gateway("sandbox", {}), SandboxGateway)
    assert isinstance(build_gateway("manual", {}), ManualGateway)
    keys = {"api_key": "sk_test_1", "webhook_secret": "whsec_1", "publishable_key": "pk_test_1"}
    assert isinstance(build_gateway("stripe", keys), StripeGateway)


def test_all_faults_in_credentials_are_told_at_once_and_nothing_entered_is_repeated() -> None:
    entered = {"webhook_secret": "oops-secret", "color": "red"}
    with pytest.raises(InvalidError) as refusal:
        validate_credentials("stripe", entered)
    assert [error.pointer for error in refusal.value.errors] == [
        "/credentials/api_key",
        "/credentials/color",
        "/credentials/webhook_secret",
    ]
    assert "oops-secret" not in f"{refusal.value.detail}{refusal.value.errors}"


def test_a_publishable_key_is_no_api_key() -> None:
    with pytest.raises(InvalidError):
        build_gateway("stripe", {"api_key": "pk_live_1"})


def test_unknown_providers_are_refused() -> None:
    with pytest.raises(InvalidError, match="no such provider") as refusal:
        build_gateway("paypal", {})
    assert refusal.value.code == "unknown_provider"


def test_everything_secret_is_marked_so() -> None:
    open_fields = [field.name for provider in PROVIDERS.values() for field in provider.fields if not field.secret]
    assert open_fields == ["publishable_key"]


def test_the_manual_gateway_collects_nothing_and_records_refunds_pay4() -> None:
    gateway = ManualGateway()
    capabilities = gateway.capabilities()
    assert not capabilities.collects
    assert capabilities.kinds == {MethodKind.CASH, MethodKind.BANK_TRANSFER, MethodKind.POS}
    outcome = gateway.charge(ChargeRequest("k", Money(1, "EUR"), "", None))
    assert (outcome.state, outcome.failure_kind) == (ChargeState.FAILED, FailureKind.HARD)
    assert gateway.refund(RefundRequest("r", "x", Money(1, "EUR"))).state is RefundState.SUCCEEDED
    with pytest.raises(UnsupportedByGatewayError):
        gateway.setup_method(SetupRequest("k", ""))


@pytest.mark.parametrize(
    ("amount", "counted"),
    [
        (Money(18214, "EUR"), 18214),
        (Money(500, "JPY"), 500),
        (Money(500, "ISK"), 50000),
        (Money(500, "UGX"), 50000),
        (Money(1500, "KWD"), 1500),
        (Money(50000, "MGA"), 500),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them_mon1(amount: Money, counted: int) -> None:
    assert to_stripe_amount(amount) == counted
    assert from_stripe_amount(counted, amount.currency.lower()) == amount


@pytest.mark.parametrize("amount", [Money(1501, "KWD"), Money(50001, "MGA")])
def test_amounts_that_stripe_cannot_count_are_refused_and_not_rounded(amount: Money) -> None:
    with pytest.raises(GatewayRejectedError):
        to_stripe_amount(amount)


@pytest.mark.parametrize(
    "code", ["insufficient_funds", "generic_decline", "try_again_later", "processing_error", "new"]
)
def test_declines_that_may_pass_are_soft_pay2(code: str) -> None:
    assert failure_kind(code) is FailureKind.SOFT


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "expired_card", "account_closed", "mandate_invalid"])
def test_declines_that_cannot_pass_are_hard_pay2(code: str) -> None:
    assert failure_kind(code) is FailureKind.HARD


@pytest.mark.parametrize("minor", [0, -1])
def test_nothing_is_charged_or_refunded_below_one_unit(minor: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        ChargeRequest("k", Money(minor, "EUR"), "cus", None)
    with pytest.raises(ValueError, match="positive"):
        RefundRequest("k", "pi", Money(minor, "EUR"))
