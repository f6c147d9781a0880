"""The gateway as it is started: processes that count together, and a start that says what is missing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from common.config import ConfigurationError
from gateway.config import load_gateway_settings


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start ``python -m gateway web`` with settings; yields a function that returns its address."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> str:
        port = free_port()
        told = {"DESKLEDGER_INTERNAL_TOKEN": "x", "TMPDIR": str(tmp_path), "CATALOG_URL": "http://127.0.0.1:1"}
        command = [sys.executable, "-m", "gateway", "web", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
        processes.append(
            subprocess.Popen(
                command, env=os.environ | told | settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        )
        origin = f"http://127.0.0.1:{port}"
        wait_until_alive(origin)
        return origin

    yield start
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not list(tmp_path.glob("deskledger-gateway-*"))


def wait_until_alive(origin: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib3.request("GET", f"{origin}/livez", retries=False).close()
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the gateway did not start")


def test_worker_processes_share_their_rate_limits_and_leave_nothing_behind(
    start_gateway: Callable[..., str], tmp_path: Path
) -> None:
    origin = start_gateway(RATE_LIMIT_PER_ADDRESS="10")
    statuses = []
    for _ in range(30):
        # A connection each, so that both processes get some.
        with urllib3.PoolManager(retries=False) as pool:
            statuses.append(pool.request("GET", f"{origin}/v1/plans").status)
    # The last minute counts by its share: when the minute turns meanwhile, one more may pass, never another ten.
    assert statuses.count(503) in {10, 11}
    assert statuses.count(503) + statuses.count(429) == 30
    assert list(tmp_path.glob("deskledger-gateway-*/rate-limits"))


def test_a_start_without_settings_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="set DESKLEDGER_INTERNAL_TOKEN"):
        load_gateway_settings({})
    with pytest.raises(ConfigurationError, match="RATE_LIMIT_PER_KEY must be of the kind int"):
        load_gateway_settings({"DESKLEDGER_INTERNAL_TOKEN": "x", "RATE_LIMIT_PER_KEY": "many"})


def test_the_settings_come_from_the_environment() -> None:
    settings = load_gateway_settings(
        {"DESKLEDGER_INTERNAL_TOKEN": "x", "MEMBERS_URL": "http://members:8000", "READ_OWN_WRITES_SECONDS": "1.5"}
    )
    assert settings.urls() == {"members": "http://members:8000"}
    assert settings.own_writes_seconds == 1.5
