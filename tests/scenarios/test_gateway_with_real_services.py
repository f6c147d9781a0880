"""The gateway in front of real services: members and catalog on PostgreSQL, with their workers and local messages."""

from __future__ import annotations

import importlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from common.messaging import LocalTransport
from common.runtime import ServiceRuntime, start_threads
from common.testing.plugin import INTERNAL_TOKEN, ApiClient
from contracts.subscriptions import ROUTING
from gateway.app import create_gateway_app
from gateway.config import SERVICES, GatewaySettings
from gateway.routes import find_route

START, LATER = "2027-02-01T08:00:00Z", "2027-03-10T12:00:00Z"


@pytest.fixture(scope="module")
def gateway(make_database: Callable[..., Any]) -> Iterator[Any]:
    """A gateway with running services behind it."""
    runtimes = [_runtime(name, make_database) for name in ("members", "catalog")]
    transport = LocalTransport({runtime.service.name: runtime.consumer for runtime in runtimes}, ROUTING)
    stop, threads = threading.Event(), []
    for runtime in runtimes:
        threads += start_threads(runtime.service.name, runtime.worker_loops(transport), stop)
    upstreams = {runtime.service.name: runtime.web() for runtime in runtimes}
    yield create_gateway_app(GatewaySettings(internal_token=INTERNAL_TOKEN), upstreams)
    stop.set()
    for thread in threads:
        thread.join(timeout=10)


def _runtime(name: str, make_database: Callable[..., Any]) -> ServiceRuntime:
    service = importlib.import_module(f"{name}.service").SERVICE
    database = make_database(name, service.migrations)
    settings = service.settings_type(
        database_url=database.url, internal_token=INTERNAL_TOKEN, secret="secret-of-tests", log_level="WARNING"
    )
    runtime = ServiceRuntime(service, settings, database)
    runtime.migrate()
    return runtime


@pytest.fixture
def owner(gateway: Any) -> ApiClient:
    """The owner of a fresh rehearsal organisation."""
    slug = f"harbour-{secrets.token_hex(4)}"
    client = ApiClient(gateway.test_client(), None)
    answer = client.post(
        "/v1/organizations",
        {
            "name": "Harbour Works",
            "slug": slug,
            "country": "DE",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "mode": "rehearsal",
            "clock": START,
            "owner": {"name": "Example Owner", "email": "owner@harbour.example", "password": "correct horse battery"},
        },
    )
    assert answer.status_code == 201, answer.text
    return ApiClient(gateway.test_client(), answer.get_json()["access_token"])


def test_a_location_can_be_made_right_after_signing_up(owner: ApiClient) -> None:
    answer = owner.post("/v1/locations", {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin"})
    assert answer.status_code == 201, answer.text
    assert owner.get("/v1/locations").get_json()["items"][0]["name"] == "Dock 1"


def test_a_write_answers_without_needless_waiting(owner: ApiClient) -> None:
    started = time.monotonic()
    assert owner.post("/v1/locations", {"name": "Dock 2", "timezone": "Europe/Berlin"}).status_code == 201
    assert time.monotonic() - started < 1.5


def test_the_clock_moves_in_every_service(gateway: Any, owner: ApiClient) -> None:
    assert owner.get("/v1/organization/clock").get_json()["now"] == START
    answer = owner.post("/v1/organization/clock/advance", {"to": LATER})
    assert (answer.status_code, answer.get_json()) == (200, {"now": LATER, "settled": True})
    status = owner.get("/v1/organization/clock").get_json()
    assert (status["now"], status["settled"]) == (LATER, True)
    again = owner.post("/v1/organization/clock/advance", {"to": START})
    assert again.status_code == 422


def test_an_api_key_opens_the_door_until_it_is_deleted(gateway: Any, owner: ApiClient) -> None:
    made = owner.post("/v1/api-keys", {"name": "Front door", "role": "admin"}).get_json()
    machine = ApiClient(gateway.test_client(), made["key"])
    assert machine.get("/v1/locations").status_code == 200
    assert owner.delete(f"/v1/api-keys/{made['id']}").status_code in {200, 204}
    assert machine.get("/v1/locations").status_code == 401


def test_the_checklist_is_composed_although_services_are_missing(owner: ApiClient) -> None:
    steps = {step["id"]: step for step in owner.get("/v1/setup").get_json()["steps"]}
    assert steps["payment_gateway"]["state"] == "todo"
    assert steps["payment_gateway"]["problems"][0]["code"] == "service_unavailable"


def test_all_services_are_ready_and_documented_in_one_document(gateway: Any) -> None:
    client = ApiClient(gateway.test_client(), None)
    assert client.get("/readyz").get_json()["services"] == {"members": "ready", "catalog": "ready"}
    paths = client.get("/openapi.json").get_json()["paths"]
    assert {"/v1/tokens", "/v1/locations", "/v1/setup", "/v1/organization/clock"} <= set(paths)


@pytest.mark.parametrize("name", SERVICES)
def test_every_public_path_of_a_service_is_routed_to_it(name: str, service_app: Callable[..., Any]) -> None:
    service = importlib.import_module(f"{name}.service").SERVICE
    app = service_app(service)
    astray = {}
    for rule in app.url_map.iter_rules():
        route = find_route(rule.rule.replace("<", "").replace(">", ""))
        if rule.rule.startswith("/v1/") and (route is None or route.service not in {name, "gateway"}):
            astray[rule.rule] = route.service if route else None
    assert astray == {}
