"""Every message twice and shuffled: the same final state."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import waitress
from client import GatewayClient
from disorder import DisorderTransport
from footings import free_ports
from story import check_outcome, furnish, join_and_book

from common.db.migrate import drop_database
from contracts.subscriptions import ROUTING
from standalone.config import SuiteSettings
from standalone.suite import Suite

pytestmark = pytest.mark.timeout(240)


def _serve(server: Any) -> None:
    # Closing pulls the sockets away from under the loop that waits for them.
    with contextlib.suppress(OSError):
        server.run()


@pytest.fixture(params=[1, 2])
def origin(request: pytest.FixtureRequest, own_postgres: str, tmp_path: Path) -> Iterator[str]:
    """A suite in this process whose messages arrive twice and in disorder."""
    port, prefix = free_ports(1), f"test_disorder_{secrets.token_hex(3)}_"
    settings = SuiteSettings(
        port=port, data=tmp_path, demo=False, internal_token="internal", secret="secret", database_prefix=prefix
    )
    suite = Suite(settings, own_postgres, lambda c: DisorderTransport(c, ROUTING, seed=request.param))
    suite.start()
    server = waitress.create_server(suite.wsgi, host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.close()
    thread.join(timeout=5)
    suite.stop()
    for runtime in suite.runtimes:
        drop_database(own_postgres, f"{prefix}{runtime.service.name}")


def test_the_story_ends_the_same_when_messages_arrive_twice_and_shuffled(origin: str) -> None:
    house = furnish(GatewayClient(origin))
    join_and_book(house)
    house.api.advance("2027-03-10T12:00:00Z")
    check_outcome(house)
