"""Kill -9 of any process at random moments, and a restart of RabbitMQ: the outcome is the same."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import GatewayClient
from footings import Footing, data_folder, servers
from story import check_outcome, furnish, join_and_book

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.timeout(420)]

KILLS = 5


class Killer:
    """Kills one random process of a footing every two seconds or so, until told to stop."""

    def __init__(self, footing: Footing, seed: int) -> None:
        self._data = footing.data
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.killed: list[str] = []

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(1.0, 3.5)):
            name, process_id = self._random.choice(running_processes(self._data))
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed.append(name)


def running_processes(data: Path) -> list[tuple[str, int]]:
    """Names and ids of the web and worker processes, from the launcher's own status."""
    told = {
        **os.environ,
        "DESKLEDGER_DATA": str(data),
        "DESKLEDGER_POSTGRES_URL": "postgresql://x",
        "AMQP_URL": "amqp://x",
    }
    text = subprocess.run(
        [sys.executable, "-m", "servers", "status"], env=told, capture_output=True, text=True, timeout=20, check=False
    ).stdout
    return [(name, int(pid)) for name, pid in re.findall(r"^(\S+)\s+RUNNING\s+pid (\d+)", text, re.MULTILINE)]


def restart_rabbitmq() -> None:
    """Stop and start the broker as an operator would."""
    for command in ("stop_app", "start_app"):
        subprocess.run(["rabbitmqctl", command], check=True, capture_output=True, timeout=90)


@pytest.fixture(scope="module")
def mortals(own_postgres: str, amqp_url: str) -> Iterator[Footing]:
    """Processes that may be killed."""
    with data_folder() as folder, servers(folder, own_postgres, amqp_url, web_workers=1) as running:
        yield running


def test_the_story_survives_sigkill_of_any_process(mortals: Footing) -> None:
    client = GatewayClient(mortals.origin, patient=True)
    houses = []
    with Killer(mortals, seed=7) as killer:
        while len(killer.killed) < KILLS:
            houses.append(furnish(client))
            join_and_book(houses[-1])
            houses[-1].api.advance("2027-02-20T12:00:00Z")
            houses[-1].api.advance("2027-03-10T12:00:00Z")
    for house in houses:
        check_outcome(house)


@pytest.mark.skipif(
    shutil.which("rabbitmqctl") is None, reason="rabbitmqctl is not here: the broker cannot be restarted"
)
def test_the_story_survives_a_restart_of_rabbitmq(mortals: Footing) -> None:
    house = furnish(GatewayClient(mortals.origin, patient=True))
    restarting = threading.Thread(target=restart_rabbitmq)
    restarting.start()
    join_and_book(house)
    restarting.join()
    house.api.advance("2027-03-10T12:00:00Z")
    check_outcome(house)
