"""The suite on both footings, started once for the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import footings
import pytest
from client import GatewayClient


@pytest.fixture(scope="session", params=["standalone", "servers"])
def footing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[footings.Footing]:
    """A running suite; each test makes an organisation of its own in it."""
    data = tmp_path_factory.mktemp(request.param)
    if request.param == "standalone":
        with footings.standalone(data) as running:
            yield running
    else:
        urls = request.getfixturevalue("postgres_server_url"), request.getfixturevalue("amqp_url")
        with footings.servers(data, *urls) as running:
            yield running


@pytest.fixture
def client(footing: footings.Footing) -> GatewayClient:
    """A client that has not signed in."""
    return GatewayClient(footing.origin)
