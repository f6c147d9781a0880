"""The suite on both footings, started once for the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import footings
import pytest
from client import GatewayClient

from standalone.postgres import embedded_server


@pytest.fixture(scope="session", params=["standalone", "servers"])
def footing(request: pytest.FixtureRequest) -> Iterator[footings.Footing]:
    """A running suite; each test makes an organisation of its own in it."""
    with footings.data_folder() as data:
        if request.param == "standalone":
            with footings.standalone(data) as running:
                yield running
        else:
            urls = request.getfixturevalue("postgres_server_url"), request.getfixturevalue("amqp_url")
            with footings.servers(data, *urls) as running:
                yield running


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An empty folder for a suite's data."""
    with footings.data_folder() as data:
        yield data


@pytest.fixture
def own_postgres() -> Iterator[str]:
    """A server of its own: two sets of processes at once are too many for the hundred connections of one."""
    with footings.data_folder() as folder, embedded_server(folder / "postgres") as url:
        yield url


@pytest.fixture
def client(footing: footings.Footing) -> GatewayClient:
    """A client that has not signed in."""
    return GatewayClient(footing.origin)
