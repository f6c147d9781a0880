"""All services and the gateway in this process on real PostgreSQL, with two organisations that own something of all.

Assembled like the standalone suite, without its pages.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import waitress
from client import GatewayClient
from footings import free_ports
from operations import Operation, operations
from sqlalchemy import make_url
from tenants import Tenant, settle

from common.db import Database, TenantSession
from common.db.migrate import create_database, drop_databases
from common.http import ServiceApp
from common.ids import decode_id, encode_id
from common.messaging import LocalTransport
from common.runtime import ServiceRuntime, start_threads
from contracts.subscriptions import ROUTING
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings
from gateway.upstreams import WsgiUpstream
from payments.models import Payout
from standalone.services import ALL_SERVICES


@dataclass
class House:
    """The running suite: a web app and a database per service, and the gateway with its address."""

    apps: dict[str, ServiceApp]
    databases: dict[str, Database]
    gateway: Any
    origin: str


@pytest.fixture(scope="session")
def suite(postgres_server_url: str) -> Iterator[House]:
    """The suite with its workers; dropped at the end."""
    prefix, stop = f"test_api_{secrets.token_hex(3)}_", threading.Event()
    runtimes = [_runtime(service, postgres_server_url, f"{prefix}{service.name}") for service in ALL_SERVICES]
    transport = LocalTransport({each.service.name: each.consumer for each in runtimes}, ROUTING)
    threads = [
        thread for each in runtimes for thread in start_threads(each.service.name, each.worker_loops(transport), stop)
    ]
    apps = {each.service.name: each.web() for each in runtimes}
    upstreams = {name: WsgiUpstream(name, app) for name, app in apps.items()}
    gateway = create_gateway_app(GatewaySettings(internal_token="internal"), upstreams)
    with _served(gateway) as origin:
        yield House(apps, {each.service.name: each.database for each in runtimes}, gateway, origin)
    stop.set()
    for thread in threads:
        thread.join(timeout=10)
    for each in runtimes:
        each.close()
    drop_databases(postgres_server_url, *(f"{prefix}{each.service.name}" for each in runtimes))


def _runtime(service: Any, server_url: str, name: str) -> ServiceRuntime:
    create_database(server_url, name)
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    settings = service.settings_type(database_url=url, internal_token="internal", secret="secret", pool_size=3)
    runtime = ServiceRuntime(service, settings)
    runtime.migrate()
    return runtime


@contextmanager
def _served(app: Any) -> Iterator[str]:
    port = free_ports(1)
    server = waitress.create_server(app, host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.close()
    thread.join(timeout=5)


@pytest.fixture(scope="session")
def ours(suite: House) -> Tenant:
    """Organisation A, whose things nobody else may see."""
    return _with_payout(suite, settle(GatewayClient(suite.origin, patient=True)))


@pytest.fixture(scope="session")
def theirs(suite: House) -> Tenant:
    """Organisation B, which tries."""
    return _with_payout(suite, settle(GatewayClient(suite.origin, patient=True)))


def _with_payout(suite: House, tenant: Tenant) -> Tenant:
    """What its provider would tell: the sandbox pays nothing out."""
    day = datetime(2027, 2, 24, tzinfo=UTC)
    gateway = decode_id("gtw", tenant.ids["gateway_id"])
    facts = {"currency": "EUR", "amount_minor": 18189, "state": "paid", "arrives_on": day.date(), "made_at": day}
    with suite.databases["payments"].session(decode_id("org", tenant.organization["id"])) as session:
        payout = Payout(**facts, gateway_id=gateway, provider_reference="po_1", itemised=True, complete=True)
        session.add(payout)
        session.commit()
        tenant.ids["payout_id"] = encode_id("pyo", payout.id)
    return tenant


@pytest.fixture(scope="session")
def routes(suite: House) -> list[tuple[Any, Operation]]:
    """Every route of every service and of the gateway, with the app that answers."""
    apps = {**suite.apps, "gateway": suite.gateway}
    documents = {name: app.api.spec.to_dict() for name, app in apps.items()}
    return [(apps[each.service], each) for each in operations(documents)]


@pytest.fixture
def without_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """This thread's requests are carried out to the last statement and rolled back: none can spoil the next."""
    here, commit = threading.get_ident(), TenantSession.commit

    def end(session: TenantSession) -> None:
        return session.flush() if threading.get_ident() == here else commit(session)

    monkeypatch.setattr(TenantSession, "commit", end)
