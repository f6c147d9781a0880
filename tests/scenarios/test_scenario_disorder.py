"""Every message twice and shuffled: the same final state."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import waitress
from client import GatewayClient
from disorder import DisorderTransport
from footings import free_ports
from story import House, check_outcome, euro, furnish, join_and_book

from common.db.migrate import drop_databases
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
    drop_databases(own_postgres, *(f"{prefix}{runtime.service.name}" for runtime in suite.runtimes))


def test_the_story_ends_the_same_when_messages_arrive_twice_and_shuffled(origin: str) -> None:
    house = furnish(GatewayClient(origin))
    join_and_book(house)
    house.api.advance("2027-03-10T12:00:00Z")
    check_outcome(house)
    buy_passes(house)


def buy_passes(house: House) -> None:
    """Plans with passes and hours, bought on invoice, changed twice, removed, and paid at once: given once each."""
    api, minute = house.api, count(1)

    def settle() -> None:
        api.advance(f"2027-03-10T12:{next(minute):02}:00Z")

    terms = {"name": "Ten passes", "kind": "one_off", "price": euro(15000), "passes": 10, "credits_hours": "2"}
    plan = api.post("/v1/plans", terms)["id"]
    member = api.post("/v1/members", {"name": "Example Guest", "email": "guest@example.com"})["id"]
    settle()
    fee = api.post("/v1/fees", {"member_id": member, "plan_id": plan})
    for quantity in ("3", "2"):
        api.patch(f"/v1/fees/{fee['id']}", {"quantity": quantity})
    removed = api.post("/v1/fees", {"member_id": member, "plan_id": plan})
    assert api.send("DELETE", f"/v1/fees/{removed['id']}").status == 204
    bought = api.post("/v1/purchases", {"member_id": member, "pay": "now", "items": [{"plan_id": plan}]})
    settle()
    check_given(house, member, passes=20, hours=4)
    cash = {"method": "cash", "amount": euro(15000)}
    api.post(f"/v1/invoices/{bought['invoice']['id']}/payments", cash)
    settle()
    check_given(house, member, passes=30, hours=6)


def check_given(house: House, member: str, *, passes: int, hours: int) -> None:
    """What a member can use of all that was bought."""
    found = house.api.get(f"/v1/passes?member_id={member}")["items"]
    assert sum(each["remaining"] for each in found) == passes
    found = house.api.get(f"/v1/credits?member_id={member}")["items"]
    assert sum(Decimal(each["available"]) for each in found) == hours
