"""Stripe through its own SDK: SetupIntents to save methods, off-session PaymentIntents to charge them (PAY-6).

A charge's reference is its PaymentIntent. Our idempotency key also stands in the intent's metadata, so that an unknown
outcome is found by listing the customer's intents: unlike Stripe's search, a list shows what was made a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import stripe
from stripe.params import PaymentIntentCreateParams, SetupIntentCreateParams

from payments.gateways import stripe_payouts
from payments.gateways.errors import GatewayRejectedError, UnsupportedByGatewayError
from payments.gateways.events import ProviderEvent
from payments.gateways.payouts import PayoutDetails, PayoutItem
from payments.gateways.stripe_errors import charge_error, refund_error, translated
from payments.gateways.stripe_events import parse_stripe_webhook
from payments.gateways.stripe_http import kept_connections
from payments.gateways.stripe_money import to_stripe_amount
from payments.gateways.stripe_readings import (
    KINDS,
    TYPE_NAMES,
    charge_outcome,
    declined,
    method_details,
    refund_outcome,
)
from payments.gateways.terms import (
    AccountDetails,
    Capabilities,
    ChargeOutcome,
    ChargeRequest,
    CustomerDetails,
    FailureKind,
    MethodDetails,
    RefundOutcome,
    RefundRequest,
    RefundState,
    SetupOutcome,
    SetupRequest,
)

_PAGE = 100


@dataclass(frozen=True, slots=True)
class StripeCredentials:
    """Keys of one Stripe account. Without ``webhook_secret`` no event is believed."""

    api_key: str
    webhook_secret: str | None = None
    publishable_key: str | None = None


@dataclass(frozen=True, slots=True)
class StripeConnection:
    """Where Stripe is and how long we wait for it (seconds); repeats carry the same idempotency key."""

    api_base: str | None = None
    connect_timeout: float = 5
    read_timeout: float = 30
    network_retries: int = 2
    http_client: stripe.HTTPClient | None = None


class StripeGateway:
    """The `PaymentGateway` for one Stripe account."""

    def __init__(self, credentials: StripeCredentials, connection: StripeConnection | None = None) -> None:
        connection = connection or StripeConnection()
        self._credentials = credentials
        self._client = stripe.StripeClient(
            credentials.api_key,
            base_addresses={"api": connection.api_base} if connection.api_base else None,
            max_network_retries=connection.network_retries,
            http_client=connection.http_client or kept_connections(connection.connect_timeout, connection.read_timeout),
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(kinds=frozenset(KINDS.values()), collects=True, setup_by="element", payouts=True)

    def check_credentials(self) -> AccountDetails:
        """Reads the balance: the least that a key for charging may do, restricted keys included."""
        with translated():
            balance = self._client.v1.balance.retrieve()
        return AccountDetails(live=balance.livemode, label="Stripe" if balance.livemode else "Stripe (test mode)")

    def create_customer(self, customer: CustomerDetails, idempotency_key: str) -> str:
        params: dict[str, Any] = {"name": customer.name, "metadata": dict(customer.metadata)}
        if customer.email:
            params["email"] = customer.email
        with translated():
            made = self._client.v1.customers.create(params, {"idempotency_key": idempotency_key})  # type: ignore[arg-type]  # a TypedDict with optional keys
        return made.id

    def setup_method(self, request: SetupRequest) -> SetupOutcome:
        if request.token is not None:
            return SetupOutcome(request.token, method=self.attach(request.customer_reference, request.token))
        params: SetupIntentCreateParams = {
            "customer": request.customer_reference,
            "usage": "off_session",
            "allowed_payment_method_types": _type_names(request),
            "metadata": dict(request.metadata),
        }
        with translated():
            setup = self._client.v1.setup_intents.create(params, {"idempotency_key": request.idempotency_key})
        return self._setup_outcome(setup)

    def complete_setup(self, setup_reference: str) -> SetupOutcome:
        """Takes a SetupIntent, or a method that was attached at once."""
        if setup_reference.startswith("pm_"):
            return SetupOutcome(setup_reference, method=self._retrieve_method(setup_reference))
        with translated():
            setup = self._client.v1.setup_intents.retrieve(setup_reference)
        return self._setup_outcome(setup)

    def attach(self, customer_reference: str, method_reference: str) -> MethodDetails:
        with translated():
            method = self._client.v1.payment_methods.attach(method_reference, {"customer": customer_reference})
        return method_details(method.to_dict())

    def detach(self, method_reference: str) -> None:
        with translated():
            try:
                self._client.v1.payment_methods.detach(method_reference)
            except stripe.InvalidRequestError:
                # Unknown, or attached to nobody: either way it is gone, which is what was asked for.
                return

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        try:
            params = _intent_params(request)
            intent = self._client.v1.payment_intents.create(params, {"idempotency_key": request.idempotency_key})
        except GatewayRejectedError as error:
            return declined(error.code, None, FailureKind.HARD)
        except stripe.StripeError as error:
            return charge_error(error)
        return charge_outcome(intent.to_dict())

    def fetch_charge(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> ChargeOutcome:
        del age  # Stripe has a calendar of its own
        with translated():
            intent = self._client.v1.payment_intents.retrieve(provider_reference)
        return charge_outcome(intent.to_dict())

    def find_charge(self, request: ChargeRequest, *, age: timedelta = timedelta(0)) -> ChargeOutcome | None:
        with translated():
            intents = self._client.v1.payment_intents.list({"customer": request.customer_reference, "limit": _PAGE})
            for intent in intents.auto_paging_iter():
                if intent.metadata.to_dict().get("idempotency_key") == request.idempotency_key:
                    return charge_outcome(intent.to_dict())
        return None

    def cancel_charge(self, provider_reference: str) -> ChargeOutcome:
        with translated():
            try:
                intent = self._client.v1.payment_intents.cancel(provider_reference)
            except stripe.InvalidRequestError:
                # Already decided, under way, or unknown: the intent itself says which.
                intent = self._client.v1.payment_intents.retrieve(provider_reference)
        return charge_outcome(intent.to_dict())

    def refund(self, request: RefundRequest) -> RefundOutcome:
        try:
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": request.charge_reference,
                    "amount": to_stripe_amount(request.amount),
                    "metadata": {
                        **request.metadata,
                        "reason": request.reason,
                        "idempotency_key": request.idempotency_key,
                    },
                },
                {"idempotency_key": request.idempotency_key},
            )
        except GatewayRejectedError as error:
            return RefundOutcome(RefundState.FAILED, failure_code=error.code)
        except stripe.StripeError as error:
            return refund_error(error)
        return refund_outcome(refund.to_dict())

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        with translated():
            refunds = self._client.v1.refunds.list({"payment_intent": request.charge_reference, "limit": _PAGE})
            for refund in refunds.auto_paging_iter():
                if (refund.to_dict().get("metadata") or {}).get("idempotency_key") == request.idempotency_key:
                    return refund_outcome(refund.to_dict())
        return None

    def fetch_refund(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> RefundOutcome:
        del age
        with translated():
            refund = self._client.v1.refunds.retrieve(provider_reference)
        return refund_outcome(refund.to_dict())

    def payouts(self, since: datetime) -> Iterator[PayoutDetails]:
        return stripe_payouts.list_payouts(self._client, since)

    def payout_items(self, payout: PayoutDetails) -> Iterator[PayoutItem]:
        return stripe_payouts.list_items(self._client, payout)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
        return parse_stripe_webhook(body, headers, self._credentials.webhook_secret)

    def _retrieve_method(self, reference: str) -> MethodDetails:
        with translated():
            method = self._client.v1.payment_methods.retrieve(reference)
        return method_details(method.to_dict())

    def _setup_outcome(self, setup: stripe.SetupIntent) -> SetupOutcome:
        facts = setup.to_dict()
        if setup.status == "succeeded":
            return SetupOutcome(setup.id, method=self._retrieve_method(str(facts["payment_method"])))
        error = facts.get("last_setup_error") or {}
        page = (facts.get("next_action") or {}).get("redirect_to_url") or {}
        return SetupOutcome(
            setup.id,
            client_secret=setup.client_secret,
            url=page.get("url"),
            publishable_key=self._credentials.publishable_key,
            failure_code=error.get("decline_code") or error.get("code"),
        )


def _type_names(request: SetupRequest) -> list[str]:
    names = [TYPE_NAMES[kind] for kind in request.kinds if kind in TYPE_NAMES]
    if not names:
        raise UnsupportedByGatewayError("Stripe cannot save a method of that kind")
    return names


def _intent_params(request: ChargeRequest) -> PaymentIntentCreateParams:
    params: PaymentIntentCreateParams = {
        "amount": to_stripe_amount(request.amount),
        "currency": request.amount.currency.lower(),
        "customer": request.customer_reference,
        "metadata": {**request.metadata, "idempotency_key": request.idempotency_key},
        # Whatever kind the saved method is; with nobody at the screen no page can be shown.
        "automatic_payment_methods": {
            "enabled": True,
            "allow_redirects": "always" if request.return_url or request.method_reference is None else "never",
        },
    }
    if request.description:
        params["description"] = request.description
    if request.method_reference is None:
        params["setup_future_usage"] = "off_session"
        return params
    params["payment_method"] = request.method_reference
    params["confirm"] = True
    if request.off_session:
        params["off_session"] = True
    if request.return_url:
        params["return_url"] = request.return_url
    return params
