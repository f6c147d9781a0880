"""An organisation whose gateway is Stripe's wire double, and the accidents that can happen on the way there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from payments_house import House, make_house
from stripe_wire_double import API_KEY, WEBHOOK_SECRET, StripeDouble

from common.testing.plugin import ApiClient
from payments.gateways.port import ChargeOutcome, ChargeRequest, PaymentGateway, RefundOutcome, RefundRequest
from payments.gateways.registry import Connections, build_gateway
from payments.gateways.stripe import StripeConnection
from payments.services.providers import Providers


class Killed(BaseException):
    """The process ends here; nothing catches it."""


@dataclass
class Accidents:
    """What happens around the next charges and refunds."""

    before_charge: list[Callable[[], None]] = field(default_factory=list)
    after_charge: list[Callable[[], None]] = field(default_factory=list)
    before_refund: list[Callable[[], None]] = field(default_factory=list)
    after_refund: list[Callable[[], None]] = field(default_factory=list)

    @staticmethod
    def kill() -> None:
        """SIGKILL."""
        raise Killed


class Accident:
    """An adapter with accidents before and after its charges and refunds."""

    def __init__(self, inner: PaymentGateway, accidents: Accidents) -> None:
        self._inner, self._accidents = inner, accidents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """The inner adapter's, with what happens around it."""
        _happen(self._accidents.before_charge)
        outcome = self._inner.charge(request)
        _happen(self._accidents.after_charge)
        return outcome

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """As `charge`."""
        _happen(self._accidents.before_refund)
        outcome = self._inner.refund(request)
        _happen(self._accidents.after_refund)
        return outcome


def _happen(accidents: list[Callable[[], None]]) -> None:
    if accidents:
        accidents.pop(0)()


@dataclass
class StripeHouse:
    """A house with Stripe behind it."""

    house: House
    double: StripeDouble
    gateway: str
    accidents: Accidents
    address: str

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Wait 0.4 seconds for the provider's answers, and not as long as a busy machine may need."""
        extensions = self.house.app.extensions
        patient = extensions["providers"]
        extensions["providers"] = _providers(self.house.app, self.address, self.accidents, read_timeout=0.4)
        try:
            yield
        finally:
            extensions["providers"] = patient

    def save_method(self, behaviour: str = "ok") -> str:
        """Save a method that the provider's element made."""
        return self.house.save_method(self.double.new_method(behaviour), gateway_id=self.gateway)

    def deliver(self, event: dict[str, Any], headers: Mapping[str, str] | None = None) -> int:
        """Post an event as Stripe does; the status of our answer."""
        body, signed = self.double.signed(event)
        sent = {"Content-Type": "application/json", **(headers or signed)}
        answer = self.house.nobody.request("POST", f"/v1/webhooks/{self.gateway}", data=body, headers=sent)
        return int(answer.status_code)

    def deliver_all(self) -> None:
        """Post everything that the provider has to say, and apply it."""
        for event in list(self.double.events):
            assert self.deliver(event) == 202
        self.house.run()


def make_stripe_house(app: Any, sign_in: Callable[..., ApiClient], double: StripeDouble, address: str) -> StripeHouse:
    """Connect the wire double to a fresh organisation, as the only gateway of the app's providers."""
    accidents = Accidents()
    app.extensions["providers"] = _providers(app, address, accidents, read_timeout=30)
    house = make_house(app, sign_in)
    keys = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET, "publishable_key": "pk_test_double"}
    made = house.owner.post("/v1/payment-gateways", {"provider": "stripe", "credentials": keys})
    assert made.status_code == 201, made.json
    return StripeHouse(house, double, made.json["id"], accidents, address)


def _providers(app: Any, address: str, accidents: Accidents, *, read_timeout: float) -> Providers:
    def build(provider: str, credentials: Mapping[str, str], connections: Connections) -> PaymentGateway:
        adapter = build_gateway(provider, credentials, connections)
        return Accident(adapter, accidents) if provider == "stripe" else adapter  # type: ignore[return-value]

    connection = StripeConnection(address, connect_timeout=5, read_timeout=read_timeout, network_retries=0)
    return Providers(app.extensions["settings"], build, Connections(connection))
