"""The port that every payment provider is reached through (PAY-6), in plain verbs.

A charge never raises for something that happened on the way: a timeout, a broken line or a provider's 500 is the
outcome ``unknown``, which is settled by asking (`find_charge`), never by charging with another key (PAY-1). The other
acts raise `GatewayUnavailableError` when the provider cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from payments.gateways.errors import (
    CredentialsRejectedError,
    GatewayRejectedError,
    GatewayUnavailableError,
    SignatureError,
    UnsupportedByGatewayError,
)
from payments.gateways.events import ProviderEvent
from payments.gateways.payouts import ItemKind, PayoutDetails, PayoutItem, PayoutState
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

__all__ = [
    "AccountDetails",
    "Capabilities",
    "ChargeOutcome",
    "ChargeRequest",
    "ChargeState",
    "CredentialsRejectedError",
    "CustomerDetails",
    "FailureKind",
    "GatewayRejectedError",
    "GatewayUnavailableError",
    "ItemKind",
    "MethodDetails",
    "MethodKind",
    "PaymentGateway",
    "PayoutDetails",
    "PayoutItem",
    "PayoutState",
    "ProviderEvent",
    "RefundOutcome",
    "RefundRequest",
    "RefundState",
    "SetupOutcome",
    "SetupRequest",
    "SignatureError",
    "UnsupportedByGatewayError",
]


class PaymentGateway(Protocol):
    """One connected account at one provider. Adapters hold no state of ours and are safe to share between threads."""

    def capabilities(self) -> Capabilities:
        """What can be done here; no network."""
        ...

    def check_credentials(self) -> AccountDetails:
        """Ask the provider whose account this is. Raises CredentialsRejectedError, GatewayUnavailableError."""
        ...

    def create_customer(self, customer: CustomerDetails, idempotency_key: str) -> str:
        """Reference of a new customer at the provider; the same key gives the same one."""
        ...

    def setup_method(self, request: SetupRequest) -> SetupOutcome:
        """Begin to save a method, or save it at once when the request has a token.

        Raises GatewayRejectedError (a declined card, say), UnsupportedByGatewayError, GatewayUnavailableError.
        """
        ...

    def complete_setup(self, setup_reference: str) -> SetupOutcome:
        """How a setup that was begun stands now; ``method`` is there once the member has finished."""
        ...

    def attach(self, customer_reference: str, method_reference: str) -> MethodDetails:
        """Bind a method to a customer to be charged later. Raises as `setup_method`; repeating is harmless."""
        ...

    def detach(self, method_reference: str) -> None:
        """Forget a method; a reference that is already gone is fine."""
        ...

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Take money. Never raises for the network: a lost answer is the outcome ``unknown`` (PAY-1)."""
        ...

    def fetch_charge(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> ChargeOutcome:
        """How a charge stands now. ``age``: time since it was made, by the organisation's clock (for the sandbox).

        Raises GatewayRejectedError for a reference that the provider does not know, GatewayUnavailableError.
        """
        ...

    def find_charge(self, request: ChargeRequest, *, age: timedelta = timedelta(0)) -> ChargeOutcome | None:
        """Settle an unknown outcome: the charge that ``request`` made, or None when the provider has never seen it.

        After None the same request may be charged again **with the same key**: should the first one still be on its
        way, both are one charge. Raises GatewayUnavailableError when that cannot be told.
        """
        ...

    def cancel_charge(self, provider_reference: str) -> ChargeOutcome:
        """Give up a charge that waits for the member, before another attempt is made: else both could succeed.

        Answers with how it stands afterwards: ``failed`` (``canceled``) when it is off for good, ``succeeded`` or
        ``pending`` when it was too late. Raises as `fetch_charge`.
        """
        ...

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Give money back. Never raises for the network: a lost answer is ``unknown``; the same key may be repeated."""
        ...

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Settle an unknown refund, as `find_charge` does a charge."""
        ...

    def fetch_refund(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> RefundOutcome:
        """How a refund stands now: banks send some back days later. ``age`` and errors as in `fetch_charge`."""
        ...

    def payouts(self, since: datetime) -> Iterator[PayoutDetails]:
        """What was paid out, made at or after ``since``; asks the provider page by page while it is read.

        Raises CredentialsRejectedError (restricted keys may not read payouts), GatewayUnavailableError.
        """
        ...

    def payout_items(self, payout: PayoutDetails) -> Iterator[PayoutItem]:
        """What a payout is made of, page by page; nothing for one that is not itemised. Raises as `payouts`, and
        GatewayRejectedError for payouts that the provider tells no items of any more."""
        ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
        """Events in a provider's call, after its signature was verified on the raw bytes (PAY-7).

        Events that mean nothing to us are left out. Raises SignatureError. Header names in any case.
        """
        ...
