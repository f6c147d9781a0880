"""``make up`` as a user meets it: data survive a restart, Ctrl-C is clean, two suites live side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from client import GatewayClient
from footings import Footing, free_ports, standalone, stop
from story import check_outcome, furnish, join_and_book

pytestmark = pytest.mark.timeout(240)


def test_a_restart_keeps_all_data_and_ctrl_c_is_clean(data_folder: Path) -> None:
    port = free_ports(1)
    with standalone(data_folder, port=port) as first:
        house = furnish(GatewayClient(first.origin))
        join_and_book(house)
        house.api.advance("2027-02-20T12:00:00Z")
        assert stop(first.process) == 0
    assert "Traceback" not in (data_folder / "launcher.log").read_text()
    with standalone(data_folder, port=port):
        house.api.advance("2027-03-10T12:00:00Z")
        check_outcome(house)


def test_two_suites_on_their_own_ports_and_folders_do_not_meet(data_folder: Path, alone: Footing) -> None:
    """The second beside the tests' own."""
    with standalone(data_folder) as two:
        first, second = furnish(GatewayClient(alone.origin)), furnish(GatewayClient(two.origin))
        answer = GatewayClient(two.origin, first.api.token).send("GET", "/v1/members")
        assert answer.status == 401, "a token of one suite opens nothing in another"
        assert len(second.api.get("/v1/members")["items"]) == 1
