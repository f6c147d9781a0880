"""Cash, bank transfer and card terminals: people take the money and write it down (PAY-4); nothing is collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from payments.gateways.errors import UnsupportedByGatewayError
from payments.gateways.events import ProviderEvent
from payments.gateways.payouts import PayoutDetails, PayoutItem
from payments.gateways.terms import (
    AccountDetails,
    Capabilities,
    ChargeOutcome,
    ChargeRequest,
    ChargeState,
    CustomerDetails,
    FailureKind,
    MethodDetails,
    MethodKind,
    RefundOutcome,
    RefundRequest,
    RefundState,
    SetupOutcome,
    SetupRequest,
)

KINDS = frozenset({MethodKind.CASH, MethodKind.BANK_TRANSFER, MethodKind.POS})
_DETAIL = "manual payments are recorded, not collected"


class ManualGateway:
    """The `PaymentGateway` behind recorded payments. A refund is recorded as done: the staff gave the money back."""

    def capabilities(self) -> Capabilities:
        return Capabilities(kinds=KINDS, collects=False, setup_by="none", webhooks=False)

    def check_credentials(self) -> AccountDetails:
        return AccountDetails(live=True, label="Manual payments")

    def create_customer(self, customer: CustomerDetails, idempotency_key: str) -> str:
        raise UnsupportedByGatewayError(_DETAIL)

    def setup_method(self, request: SetupRequest) -> SetupOutcome:
        raise UnsupportedByGatewayError(_DETAIL)

    def complete_setup(self, setup_reference: str) -> SetupOutcome:
        raise UnsupportedByGatewayError(_DETAIL)

    def attach(self, customer_reference: str, method_reference: str) -> MethodDetails:
        raise UnsupportedByGatewayError(_DETAIL)

    def detach(self, method_reference: str) -> None:
        raise UnsupportedByGatewayError(_DETAIL)

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Nothing can be charged by hand, and a charge always answers: it failed, for good."""
        return ChargeOutcome(ChargeState.FAILED, failure_code="gateway_unsupported", failure_kind=FailureKind.HARD)

    def fetch_charge(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> ChargeOutcome:
        raise UnsupportedByGatewayError(_DETAIL)

    def find_charge(self, request: ChargeRequest, *, age: timedelta = timedelta(0)) -> ChargeOutcome | None:
        return None

    def cancel_charge(self, provider_reference: str) -> ChargeOutcome:
        raise UnsupportedByGatewayError(_DETAIL)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The money is handed back by a person; the record is made under our own key."""
        return RefundOutcome(RefundState.SUCCEEDED, f"manual:{request.idempotency_key}")

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        return self.refund(request)

    def fetch_refund(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> RefundOutcome:
        return RefundOutcome(RefundState.SUCCEEDED, provider_reference)

    def payouts(self, since: datetime) -> Iterator[PayoutDetails]:
        """Nobody pays out what is taken by hand."""
        return iter(())

    def payout_items(self, payout: PayoutDetails) -> Iterator[PayoutItem]:
        return iter(())

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
        raise UnsupportedByGatewayError(_DETAIL)
