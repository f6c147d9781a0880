"""Booking goes on while the catalogue and invoicing are down, and builds its copies from nothing by a resend."""

from __future__ import annotations

import importlib
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from common.messaging import LocalTransport
from common.messaging.resending import resend
from common.runtime import ServiceRuntime, start_threads
from common.testing.plugin import INTERNAL_TOKEN, ApiClient
from contracts.subscriptions import ROUTING
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings

NAMES = ("members", "catalog", "booking")
START, END = "2027-02-15T09:00:00+01:00", "2027-02-15T12:00:00+01:00"
EURO = {"currency": "EUR"}


def runtime_of(name: str, make_database: Callable[..., Any]) -> ServiceRuntime:
    """A service on a fresh database."""
    service = importlib.import_module(f"{name}.service").SERVICE
    database = make_database(name, service.migrations)
    settings = service.settings_type(
        database_url=database.url, internal_token=INTERNAL_TOKEN, secret="secret-of-tests", log_level="WARNING"
    )
    runtime = ServiceRuntime(service, settings, database)
    runtime.migrate()
    return runtime


def gateway_to(*runtimes: ServiceRuntime) -> Any:
    """A gateway that reaches these services and no others."""
    upstreams = {runtime.service.name: runtime.web() for runtime in runtimes}
    return create_gateway_app(GatewaySettings(internal_token=INTERNAL_TOKEN), upstreams)


@dataclass
class Town:
    """A house that was furnished while everything was up; then the catalogue went away, and invoicing never came."""

    runtimes: dict[str, ServiceRuntime]
    token: str
    booking: dict[str, str]

    def client(self, *runtimes: ServiceRuntime) -> ApiClient:
        """The owner, at a gateway that reaches these services."""
        return ApiClient(gateway_to(*runtimes).test_client(), self.token)


@pytest.fixture(scope="module")
def town(make_database: Callable[..., Any]) -> Iterator[Town]:
    runtimes = {name: runtime_of(name, make_database) for name in NAMES}
    transport = LocalTransport({name: runtime.consumer for name, runtime in runtimes.items()}, ROUTING)
    stop, threads = threading.Event(), []
    for name, runtime in runtimes.items():
        threads += start_threads(name, runtime.worker_loops(transport), stop)
    try:
        yield furnished(runtimes)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)


def furnished(runtimes: dict[str, ServiceRuntime]) -> Town:
    """A room at 15 an hour and a member; every answer comes when its messages have arrived."""
    app = gateway_to(*runtimes.values())
    owner = {"name": "Example Owner", "email": "owner@harbour.example", "password": "correct horse battery"}
    house = {"name": "Harbour Works", "slug": f"harbour-{secrets.token_hex(4)}", "country": "DE", "owner": owner}
    mode = {"currency": "EUR", "timezone": "Europe/Berlin", "mode": "rehearsal", "clock": "2027-02-01T08:00:00Z"}
    token = made(ApiClient(app.test_client(), None), "/v1/organizations", {**house, **mode})["access_token"]
    client = ApiClient(app.test_client(), token)
    place = made(client, "/v1/locations", {"name": "Dock 1", "timezone": "Europe/Berlin"})["id"]
    room = {"name": "Blue Room", "type": "meeting_room", "location_id": place}
    resource = made(client, "/v1/resources", room)["id"]
    price = [{"unit": "hour", "price": {"amount_minor": 1500, **EURO}}]
    made(client, "/v1/resource-rates", {"name": "Rooms", "resource_ids": [resource], "prices": price})
    made(client, "/v1/promo-codes", {"code": "HALF", "percent": "50"})
    member = made(client, "/v1/members", {"name": "Example Member", "email": "member@example.com"})["id"]
    return Town(runtimes, token, {"resource_id": resource, "member_id": member, "start": START, "end": END})


def made(client: ApiClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST that must create something."""
    answer = client.post(path, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_booking_goes_on_while_the_catalogue_and_invoicing_are_down(town: Town) -> None:
    client = town.client(town.runtimes["members"], town.runtimes["booking"])
    for path in ("/v1/resources", "/v1/invoices"):
        down = client.get(path)
        assert (down.status_code, down.get_json()["code"]) == (503, "service_unavailable")
    window = {"resource_id": town.booking["resource_id"], "date": "2027-02-15"}
    assert client.get("/v1/availability", query_string=window).get_json()["busy"] == []
    quoted = client.post("/v1/bookings/quote", {**town.booking, "promo_code": "half"}).get_json()
    booked = made(client, "/v1/bookings", {**town.booking, "promo_code": "half"})
    assert quoted["total"] == booked["price"] == {"amount_minor": 2250, **EURO}
    moved = client.patch(f"/v1/bookings/{booked['id']}", {"start": "2027-02-16T09:00:00+01:00"})
    assert moved.status_code == 200, moved.text
    cancelled = client.post(f"/v1/bookings/{booked['id']}/cancellation", {})
    assert cancelled.get_json()["status"] == "cancelled"


def test_a_new_database_of_booking_is_filled_by_resends_in_any_order(
    town: Town, make_database: Callable[..., Any]
) -> None:
    fresh = runtime_of("booking", make_database)
    transport = LocalTransport({"booking": fresh.consumer}, ROUTING)
    for name in ("catalog", "members", "catalog"):
        assert resend(town.runtimes[name].database, transport, "booking") > 0
    client = town.client(town.runtimes["members"], fresh)
    booked = made(client, "/v1/bookings", {**town.booking, "promo_code": "HALF"})
    assert (booked["status"], booked["price"]) == ("confirmed", {"amount_minor": 2250, **EURO})
