"""GoCardless through its own SDK: mandates signed on its page, payments collected by direct debit (PAY-6).

A method's reference is its mandate, a charge's its payment. Our idempotency key goes into the header, where GoCardless
answers a repetition with the payment made before, and into the metadata, where an unknown outcome is found by asking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import gocardless_pro
import requests
from gocardless_pro import errors as gc

from payments.gateways import gocardless_payouts
from payments.gateways.errors import GatewayRejectedError, UnsupportedByGatewayError
from payments.gateways.events import ProviderEvent
from payments.gateways.gocardless_errors import REFUSED, charge_error, reason, translated, trouble
from payments.gateways.gocardless_events import parse_gocardless_webhook
from payments.gateways.gocardless_readings import SCHEMES, charge_outcome, failed, method_details, refund_outcome
from payments.gateways.payouts import PayoutDetails, PayoutItem
from payments.gateways.terms import (
    AccountDetails,
    Capabilities,
    ChargeOutcome,
    ChargeRequest,
    CustomerDetails,
    MethodDetails,
    RefundOutcome,
    RefundRequest,
    RefundState,
    SetupOutcome,
    SetupRequest,
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoCardlessCredentials:
    """An access token of one GoCardless account. Without ``webhook_secret`` no event is believed."""

    access_token: str
    webhook_secret: str | None = None


@dataclass(frozen=True, slots=True)
class GoCardlessConnection:
    """Where GoCardless is and how long we wait for it (seconds)."""

    base_url: str | None = None
    connect_timeout: float = 5
    read_timeout: float = 30


class GoCardlessGateway:
    """The `PaymentGateway` for one GoCardless account."""

    def __init__(self, credentials: GoCardlessCredentials, connection: GoCardlessConnection | None = None) -> None:
        connection = connection or GoCardlessConnection()
        self._credentials = credentials
        self._live = credentials.access_token.startswith("live_")
        self._client = gocardless_pro.Client(
            access_token=credentials.access_token,
            environment="live" if self._live else "sandbox",
            base_url=connection.base_url,
            timeout=(connection.connect_timeout, connection.read_timeout),
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(kinds=frozenset(SCHEMES), collects=True, setup_by="redirect", payouts=True)

    def check_credentials(self) -> AccountDetails:
        with translated():
            creditors = self._client.creditors.list().records
        name = creditors[0].attributes.get("name") if creditors else None
        return AccountDetails(live=self._live, label=f"GoCardless ({name})" if name else "GoCardless")

    def create_customer(self, customer: CustomerDetails, idempotency_key: str) -> str:
        given, _, family = customer.name.rpartition(" ")
        named = {"given_name": given, "family_name": family} if given else {"company_name": customer.name}
        params: dict[str, Any] = {**named, "metadata": dict(customer.metadata)}
        if customer.email:
            params["email"] = customer.email
        with translated():
            return str(self._client.customers.create(params, _keyed(idempotency_key)).id)

    def setup_method(self, request: SetupRequest) -> SetupOutcome:
        """Begin a mandate on GoCardless' page; the first kind asked for that GoCardless has decides the scheme.

        A token is the reference of a mandate that is there already.
        """
        if request.token is not None:
            return SetupOutcome(request.token, method=self.attach(request.customer_reference, request.token))
        scheme, currency = _scheme(request)
        wanted = {
            "mandate_request": {"scheme": scheme, "currency": currency},
            "links": {"customer": request.customer_reference},
            "metadata": dict(request.metadata),
        }
        with translated():
            made = self._client.billing_requests.create(wanted, _keyed(request.idempotency_key))
            flow: dict[str, Any] = {"links": {"billing_request": made.id}}
            if request.return_url:
                flow["redirect_uri"] = request.return_url
            page = self._client.billing_request_flows.create(flow, _keyed(f"{request.idempotency_key}:flow"))
        return SetupOutcome(str(made.id), url=page.attributes["authorisation_url"])

    def complete_setup(self, setup_reference: str) -> SetupOutcome:
        """Takes a billing request, or a mandate that was attached at once."""
        if setup_reference.startswith("MD"):
            return SetupOutcome(setup_reference, method=self._method(setup_reference))
        with translated():
            found: Json = self._client.billing_requests.get(setup_reference).attributes
        if found["status"] == "fulfilled":
            mandate = (found.get("links") or {}).get("mandate_request_mandate")
            return SetupOutcome(setup_reference, method=self._method(str(mandate)))
        return SetupOutcome(setup_reference, failure_code="canceled" if found["status"] == "cancelled" else None)

    def attach(self, customer_reference: str, method_reference: str) -> MethodDetails:
        method = self._method(method_reference)
        if method.customer_reference != customer_reference:
            raise GatewayRejectedError("method_of_another_customer", "the mandate belongs to another customer")
        return method

    def detach(self, method_reference: str) -> None:
        with translated():
            try:
                self._client.mandates.cancel(method_reference)
            except REFUSED:
                # Unknown or already over: either way it is gone, which is what was asked for.
                return

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        if request.method_reference is None:
            return failed("mandate_is_inactive", None)
        try:
            made = self._client.payments.create(_payment_params(request), _keyed(request.idempotency_key))
        except (gc.GoCardlessProError, requests.RequestException) as error:
            return charge_error(error)
        return charge_outcome(made.attributes)

    def fetch_charge(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> ChargeOutcome:
        del age  # GoCardless has a calendar of its own
        with translated():
            found: Json = self._client.payments.get(provider_reference).attributes
            cause = self._cause(provider_reference) if found["status"] == "failed" else None
        return charge_outcome(found, cause)

    def find_charge(self, request: ChargeRequest, *, age: timedelta = timedelta(0)) -> ChargeOutcome | None:
        if request.method_reference is None:
            return None
        with translated():
            for payment in self._client.payments.all(params={"mandate": request.method_reference}):
                if (payment.attributes.get("metadata") or {}).get("idempotency_key") == request.idempotency_key:
                    return charge_outcome(payment.attributes)
        return None

    def cancel_charge(self, provider_reference: str) -> ChargeOutcome:
        with translated():
            try:
                return charge_outcome(self._client.payments.cancel(provider_reference).attributes)
            except gc.InvalidStateError:
                # Already with the bank, or decided: the payment itself says which.
                return self.fetch_charge(provider_reference)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        try:
            given = self._given(request)
            params = {
                "amount": request.amount.amount_minor,
                "total_amount_confirmation": given + request.amount.amount_minor,
                "links": {"payment": request.charge_reference},
                "metadata": {
                    "idempotency_key": request.idempotency_key,
                    "charge": request.charge_reference,
                    "amount": f"{request.amount.amount_minor} {request.amount.currency}",
                },
            }
            made = self._client.refunds.create(params, _keyed(request.idempotency_key))
        except REFUSED as error:
            return RefundOutcome(RefundState.FAILED, failure_code=reason(error))
        except (gc.GoCardlessProError, requests.RequestException) as error:
            return RefundOutcome(RefundState.UNKNOWN, failure_code=trouble(error))
        return refund_outcome(made.attributes)

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        with translated():
            for refund in self._client.refunds.all(params={"payment": request.charge_reference}):
                if (refund.attributes.get("metadata") or {}).get("idempotency_key") == request.idempotency_key:
                    return refund_outcome(refund.attributes)
        return None

    def fetch_refund(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> RefundOutcome:
        del age
        with translated():
            return refund_outcome(self._client.refunds.get(provider_reference).attributes)

    def payouts(self, since: datetime) -> Iterator[PayoutDetails]:
        return gocardless_payouts.list_payouts(self._client, since)

    def payout_items(self, payout: PayoutDetails) -> Iterator[PayoutItem]:
        return gocardless_payouts.list_items(self._client, payout)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
        return parse_gocardless_webhook(body, headers, self._credentials.webhook_secret)

    def _method(self, reference: str) -> MethodDetails:
        with translated():
            mandate: Json = self._client.mandates.get(reference).attributes
            account: Json = self._client.customer_bank_accounts.get(
                mandate["links"]["customer_bank_account"]
            ).attributes
        return method_details(mandate, account)

    def _cause(self, payment: str) -> str | None:
        """Why a payment failed: the last of its events says so."""
        records = self._client.events.list(params={"payment": payment, "action": "failed", "limit": 1}).records
        details: Json = (records[0].attributes.get("details") or {}) if records else {}
        return details.get("cause")

    def _given(self, request: RefundRequest) -> int:
        """What was refunded before; GoCardless wants the new total confirmed, so that no refund is made twice."""
        before = self._client.refunds.all(params={"payment": request.charge_reference})
        mine = request.idempotency_key
        return sum(
            int(refund.attributes["amount"])
            for refund in before
            if (refund.attributes.get("metadata") or {}).get("idempotency_key") != mine
        )


def _keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def _scheme(request: SetupRequest) -> tuple[str, str]:
    for kind in request.kinds:
        if kind in SCHEMES:
            return SCHEMES[kind]
    raise UnsupportedByGatewayError("GoCardless saves direct debit mandates only")


def _payment_params(request: ChargeRequest) -> dict[str, Any]:
    return {
        "amount": request.amount.amount_minor,
        "currency": request.amount.currency,
        "description": request.description[:100] or None,
        "links": {"mandate": request.method_reference},
        # Retries are ours (PAY-2): with theirs beside them a member could be debited twice.
        "retry_if_possible": False,
        "metadata": {**request.metadata, "idempotency_key": request.idempotency_key},
    }
