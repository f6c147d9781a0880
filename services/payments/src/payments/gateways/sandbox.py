"""A provider that is not there: deterministic outcomes for rehearsals and tests, without a database or a network.

Everything it would have to remember stands in the references it gives out, so any number of processes agree, and the
same idempotency key gives the same reference and outcome. What cannot be told from a reference is what members do:
after `complete_action` or `cancel_charge`, `fetch_charge` still says ``action_required``: the caller's record decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from common.money import Money
from payments.gateways.errors import GatewayRejectedError
from payments.gateways.events import ProviderEvent
from payments.gateways.payouts import PayoutDetails, PayoutItem
from payments.gateways.sandbox_tokens import ELEMENT, Behaviour, behaviour_of
from payments.gateways.sandbox_webhooks import parse_signed
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

KINDS = frozenset({MethodKind.CARD, MethodKind.SEPA_DEBIT, MethodKind.ACH_DEBIT, MethodKind.BACS_DEBIT})


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class _Method:
    token: str
    customer: str
    digest: str

    @property
    def reference(self) -> str:
        return f"sbx_pm.{self.token}.{self.customer}.{self.digest}"

    @property
    def behaviour(self) -> Behaviour:
        return _behaviour(self.token)

    @classmethod
    def parse(cls, reference: str) -> _Method:
        head, *rest = reference.split(".")
        if head != "sbx_pm" or len(rest) != 3 or behaviour_of(rest[0]) is None:
            raise GatewayRejectedError("resource_missing", f"no such payment method: {reference}")
        return cls(*rest)


@dataclass(frozen=True, slots=True)
class _Charge:
    token: str
    attempt: int
    amount: Money
    digest: str

    @property
    def reference(self) -> str:
        return f"sbx_ch.{self.token}.{self.attempt}.{self.amount.amount_minor}.{self.amount.currency}.{self.digest}"

    @property
    def behaviour(self) -> Behaviour:
        return _behaviour(self.token)

    @classmethod
    def parse(cls, reference: str) -> _Charge:
        head, *rest = reference.split(".")
        try:
            token, attempt, minor, currency, digest = rest
            charge = cls(token, int(attempt), Money(int(minor), currency), digest)
        except ValueError as error:
            raise GatewayRejectedError("resource_missing", f"no such charge: {reference}") from error
        if head != "sbx_ch" or behaviour_of(token) is None:
            raise GatewayRejectedError("resource_missing", f"no such charge: {reference}")
        return charge


def _behaviour(token: str) -> Behaviour:
    behaviour = behaviour_of(token)
    if behaviour is None:
        raise GatewayRejectedError("unknown_token", f"the sandbox has no token {token!r}")
    return behaviour


def _customer_digest(reference: str) -> str:
    head, _, digest = reference.partition(".")
    if head != "sbx_cus" or not digest:
        raise GatewayRejectedError("resource_missing", f"no such customer: {reference}")
    return digest


class SandboxGateway:
    """The `PaymentGateway` of rehearsal organisations. ``webhook_secret`` signs the events that tests send."""

    def __init__(self, webhook_secret: str | None = None) -> None:
        self._webhook_secret = webhook_secret

    def capabilities(self) -> Capabilities:
        return Capabilities(kinds=KINDS, collects=True, setup_by="token")

    def check_credentials(self) -> AccountDetails:
        return AccountDetails(live=False, label="Sandbox")

    def create_customer(self, customer: CustomerDetails, idempotency_key: str) -> str:
        del customer  # nobody to show the name to
        return f"sbx_cus.{_digest(idempotency_key)}"

    def setup_method(self, request: SetupRequest) -> SetupOutcome:
        """Attach a test token at once; there is no element or page to enter anything in."""
        if request.token is None:
            raise GatewayRejectedError("token_required", "the sandbox saves a method by a token such as sandbox_ok")
        method = self._new_method(request.customer_reference, request.token, request.idempotency_key)
        return SetupOutcome(reference=f"sbx_si|{method.reference}", method=_details(method))

    def complete_setup(self, setup_reference: str) -> SetupOutcome:
        method = _Method.parse(setup_reference.removeprefix("sbx_si|"))
        return SetupOutcome(reference=setup_reference, method=_details(method))

    def attach(self, customer_reference: str, method_reference: str) -> MethodDetails:
        """Bind a token or a method of the same customer."""
        if behaviour_of(method_reference) is not None:
            return _details(self._new_method(customer_reference, method_reference, ""))
        method = _Method.parse(method_reference)
        if method.customer != _customer_digest(customer_reference):
            raise GatewayRejectedError("method_of_another_customer", "the method belongs to another customer")
        return _details(method)

    def detach(self, method_reference: str) -> None:
        """Nothing to forget: the caller's own record is what ends."""

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        try:
            charge = self._charge_of(request)
        except GatewayRejectedError as error:
            return ChargeOutcome(ChargeState.FAILED, failure_code=error.code, failure_kind=FailureKind.HARD)
        if charge.behaviour.answer_lost:
            return ChargeOutcome(ChargeState.UNKNOWN, failure_code="timeout")
        return _outcome(charge, age=timedelta(0))

    def fetch_charge(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> ChargeOutcome:
        return _outcome(_Charge.parse(provider_reference), age)

    def find_charge(self, request: ChargeRequest, *, age: timedelta = timedelta(0)) -> ChargeOutcome | None:
        """Every request that was sent has arrived here, so only one that names nothing finds nothing."""
        try:
            return _outcome(self._charge_of(request), age)
        except GatewayRejectedError:
            return None

    def complete_action(self, provider_reference: str, *, succeeded: bool = True) -> ChargeOutcome:
        """What the member's confirmation (3-D Secure) leads to; only the sandbox has to be told."""
        charge = _Charge.parse(provider_reference)
        if not charge.behaviour.needs_action:
            return _outcome(charge, age=timedelta(0))
        if succeeded:
            return ChargeOutcome(ChargeState.SUCCEEDED, provider_reference)
        return _failed(provider_reference, "authentication_failed", FailureKind.SOFT)

    def cancel_charge(self, provider_reference: str) -> ChargeOutcome:
        charge = _Charge.parse(provider_reference)
        if charge.behaviour.needs_action:
            return _failed(provider_reference, "canceled", FailureKind.SOFT)
        return _outcome(charge, age=timedelta(0))

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Refunds succeed at once unless the token says otherwise, up to the charge's amount.

        The sum over several refunds is the caller's to guard.
        """
        try:
            charge = _Charge.parse(request.charge_reference)
        except GatewayRejectedError as error:
            return RefundOutcome(RefundState.FAILED, failure_code=error.code)
        if request.amount > charge.amount:
            return RefundOutcome(RefundState.FAILED, failure_code="amount_too_large")
        return _refund_outcome(f"sbx_re.{charge.token}.{_digest(request.idempotency_key)}", age=timedelta(0))

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        return self.refund(request)

    def fetch_refund(self, provider_reference: str, *, age: timedelta = timedelta(0)) -> RefundOutcome:
        return _refund_outcome(provider_reference, age)

    def payouts(self, since: datetime) -> Iterator[PayoutDetails]:
        """The sandbox has no money to pay out."""
        return iter(())

    def payout_items(self, payout: PayoutDetails) -> Iterator[PayoutItem]:
        return iter(())

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
        return parse_signed(body, headers, self._webhook_secret)

    def _new_method(self, customer_reference: str, token: str, key: str) -> _Method:
        _behaviour(token)
        customer = _customer_digest(customer_reference)
        return _Method(token, customer, _digest(token, customer, key))

    def _charge_of(self, request: ChargeRequest) -> _Charge:
        token = ELEMENT
        if request.method_reference is not None:
            method = _Method.parse(request.method_reference)
            if method.customer != _customer_digest(request.customer_reference):
                raise GatewayRejectedError("resource_missing", "the method belongs to another customer")
            token = method.token
        return _Charge(token, request.attempt, request.amount, _digest(request.idempotency_key))


def _details(method: _Method) -> MethodDetails:
    behaviour = method.behaviour
    return MethodDetails(
        reference=method.reference,
        customer_reference=f"sbx_cus.{method.customer}",
        kind=behaviour.kind,
        brand=behaviour.brand,
        last4=behaviour.last4,
        exp_month=behaviour.exp_month,
        exp_year=behaviour.exp_year,
        fingerprint=method.token,
    )


def _outcome(charge: _Charge, age: timedelta) -> ChargeOutcome:
    behaviour, reference = charge.behaviour, charge.reference
    if behaviour.needs_action:
        return ChargeOutcome(
            ChargeState.ACTION_REQUIRED,
            reference,
            action_url=f"sandbox:confirm/{reference}",
            client_secret=f"{reference}.secret",
        )
    if behaviour.settles_after is not None and age < behaviour.settles_after:
        return ChargeOutcome(ChargeState.PENDING, reference, settles_after=behaviour.settles_after)
    if behaviour.fails(charge.attempt):
        return _failed(reference, behaviour.failure_code or "generic_decline", behaviour.failure_kind)
    return ChargeOutcome(ChargeState.SUCCEEDED, reference)


def _refund_outcome(reference: str, age: timedelta) -> RefundOutcome:
    head, _, rest = reference.partition(".")
    behaviour = behaviour_of(rest.partition(".")[0])
    if head != "sbx_re" or behaviour is None:
        raise GatewayRejectedError("resource_missing", f"no such refund: {reference}")
    settles = behaviour.refund_settles_after
    if settles is not None and age < settles:
        return RefundOutcome(RefundState.PENDING, reference, settles_after=settles)
    if behaviour.refund_failure is not None:
        return RefundOutcome(RefundState.FAILED, reference, behaviour.refund_failure)
    return RefundOutcome(RefundState.SUCCEEDED, reference)


def _failed(reference: str, code: str, kind: FailureKind | None) -> ChargeOutcome:
    return ChargeOutcome(ChargeState.FAILED, reference, failure_code=code, failure_kind=kind)
