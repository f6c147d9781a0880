"""The Stripe adapter shared by threads, and localstripe's own signed webhooks over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from localstripe_process import API_KEY, WEBHOOK_SECRET, LocalstripeClient
from stripe_wire_double import StripeDouble

from common.money import Money
from payments.gateways.errors import GatewayUnavailableError
from payments.gateways.events import ChargeChanged
from payments.gateways.port import ChargeRequest, ChargeState, CustomerDetails, PaymentGateway, SignatureError
from payments.gateways.stripe import StripeConnection, StripeCredentials, StripeGateway


def test_twenty_threads_with_one_key_make_one_charge_pay1(
    double: StripeDouble, stripe_on_double: Callable[..., PaymentGateway]
) -> None:
    gateway = stripe_on_double()
    customer = gateway.create_customer(CustomerDetails("Example Member"), "cus-1")
    method = gateway.attach(customer, double.new_method("ok")).reference
    request = ChargeRequest("inv_1:1", Money(4500, "EUR"), customer, method)
    with ThreadPoolExecutor(20) as pool:
        outcomes = set(pool.map(gateway.charge, [request] * 20))
    assert [outcome.state for outcome in outcomes] == [ChargeState.SUCCEEDED]
    assert double.charges_made == 1


def test_threads_that_come_and_go_share_connections_that_are_kept(
    double: StripeDouble, stripe_on_double: Callable[..., PaymentGateway]
) -> None:
    """Each round of collecting has a pool of its own, and each account an adapter of its own."""
    accounts = [stripe_on_double(), stripe_on_double()]
    for number in range(4):
        create = accounts[number % 2].create_customer
        with ThreadPoolExecutor(1) as pool:
            pool.submit(create, CustomerDetails("Example Member"), f"cus-{number}").result()
    assert len(double.connections) == 1


def test_a_connection_that_the_provider_closed_meanwhile_is_no_accident(
    double: StripeDouble, stripe_on_double: Callable[..., PaymentGateway]
) -> None:
    gateway = stripe_on_double()
    gateway.create_customer(CustomerDetails("Example Member"), "cus-1")
    double.hang_up_all()
    assert gateway.create_customer(CustomerDetails("Example Member"), "cus-2").startswith("cus_")
    assert len(double.connections) == 2


def test_what_keeps_stripe_from_answering_is_told(double_and_address: tuple[StripeDouble, str]) -> None:
    plain = double_and_address[1].replace("http:", "https:")
    for address, told in (("http://127.0.0.1:1", "cannot be reached"), (plain, "no safe connection")):
        connection = StripeConnection(address, network_retries=0)
        gateway = StripeGateway(StripeCredentials("sk_test_double"), connection)
        with pytest.raises(GatewayUnavailableError, match="no_answer") as caught:
            gateway.check_credentials()
        assert told in str(caught.value.__cause__)


class _Inbox(BaseHTTPRequestHandler):
    calls: list[tuple[bytes, dict[str, str]]]

    def do_POST(self) -> None:
        self.calls.append((self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def test_localstripe_posts_an_event_that_we_believe_and_a_stranger_does_not_pay7(localstripe_address: str) -> None:
    calls: list[tuple[bytes, dict[str, str]]] = []
    http = LocalstripeClient(timeout=(2, 10))
    connection = StripeConnection(localstripe_address, http_client=http)
    gateway = StripeGateway(StripeCredentials(API_KEY, WEBHOOK_SECRET), connection)
    with HTTPServer(("127.0.0.1", 0), type("Inbox", (_Inbox,), {"calls": calls})) as server:
        server.timeout = 10
        wanted = {"url": f"http://127.0.0.1:{server.server_port}/", "secret": WEBHOOK_SECRET}
        wanted |= {"events": ["payment_intent.succeeded"]}  # type: ignore[dict-item]
        configure = Request(f"{localstripe_address}/_config/webhooks/ours", json.dumps(wanted).encode())
        configure.add_header("Content-Type", "application/json")
        configure.add_header("Authorization", f"Bearer {API_KEY}")
        urlopen(configure, timeout=5).close()
        customer = gateway.create_customer(CustomerDetails("Example Member"), "cus-1")
        method = gateway.attach(customer, "pm_card_visa").reference
        made = gateway.charge(
            ChargeRequest("inv_1:1", Money(4500, "EUR"), customer, method, metadata={"payment_id": "pay_1"})
        )
        server.handle_request()
    http.close()
    (event,) = gateway.parse_webhook(*calls[0])
    assert isinstance(event, ChargeChanged)
    assert (event.outcome, event.payment_id, event.idempotency_key) == (made, "pay_1", "inv_1:1")
    stranger = StripeGateway(StripeCredentials(API_KEY, "whsec_other"))
    with pytest.raises(SignatureError):
        stranger.parse_webhook(*calls[0])
