"""All services and the gateway in this process on real PostgreSQL, with two organisations that own something of all."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import waitress
from client import GatewayClient
from footings import free_ports
from standalone.config import SuiteSettings
from standalone.suite import Suite
from tenants import Tenant, settle

from common.db import Database
from common.db.migrate import drop_database
from common.http import ServiceApp


@dataclass
class House:
    """The running suite: a web app and a database per service, and the address of the gateway."""

    apps: dict[str, ServiceApp]
    databases: dict[str, Database]
    origin: str


@pytest.fixture(scope="session")
def suite(postgres_server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The suite with its workers; dropped at the end."""
    port, prefix = free_ports(1), f"test_api_{secrets.token_hex(3)}_"
    data = tmp_path_factory.mktemp("suite")
    settings = SuiteSettings(
        port=port, data=data, demo=False, internal_token="internal", secret="secret", database_prefix=prefix
    )
    running = Suite(settings, postgres_server_url)
    running.start()
    server = waitress.create_server(running.wsgi, host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    runtimes = {runtime.service.name: runtime for runtime in running.runtimes}
    yield House(
        {name: runtime.web() for name, runtime in runtimes.items()},
        {name: runtime.database for name, runtime in runtimes.items()},
        f"http://127.0.0.1:{port}",
    )
    server.close()
    thread.join(timeout=5)
    running.stop()
    for name in runtimes:
        drop_database(postgres_server_url, f"{prefix}{name}")


@pytest.fixture(scope="session")
def ours(suite: House) -> Tenant:
    """Organisation A, whose things nobody else may see."""
    return settle(GatewayClient(suite.origin))


@pytest.fixture(scope="session")
def theirs(suite: House) -> Tenant:
    """Organisation B, which tries."""
    return settle(GatewayClient(suite.origin))
