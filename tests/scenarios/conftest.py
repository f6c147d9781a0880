"""The suite on both footings, started once for the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import footings
import pytest
from client import GatewayClient

from standalone.postgres import embedded_server


@pytest.fixture(scope="session")
def alone() -> Iterator[footings.Footing]:
    """The suite in one process, as a user starts it; each test makes an organisation of its own in it."""
    with footings.data_folder() as data, footings.standalone(data) as running:
        yield running


@pytest.fixture(scope="session")
def processes(postgres_server_url: str, amqp_url: str) -> Iterator[footings.Footing]:
    """The suite as many processes on servers; each test makes an organisation of its own in it."""
    with footings.data_folder() as data, footings.servers(data, postgres_server_url, amqp_url) as running:
        yield running


@pytest.fixture(params=["standalone", "servers"])
def footing(request: pytest.FixtureRequest) -> footings.Footing:
    """One after the other."""
    running: footings.Footing = request.getfixturevalue("alone" if request.param == "standalone" else "processes")
    return running


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[str]:
    """Another server: two sets of processes at once are too many for the hundred connections of one."""
    with footings.data_folder() as folder, embedded_server(folder / "postgres") as url:
        yield url


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An empty folder for a suite's data."""
    with footings.data_folder() as data:
        yield data


@pytest.fixture
def client(footing: footings.Footing) -> GatewayClient:
    """A client that has not signed in."""
    return GatewayClient(footing.origin)
