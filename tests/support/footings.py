"""The suite on its two footings, started as a user would start it: one process, or many on real servers."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import kombu
import urllib3
from sqlalchemy import make_url

from common.db.migrate import drop_databases
from common.messaging.rabbit import Topology
from contracts.subscriptions import ROUTING
from servers.processes import PORTS, STORING

# A busy two-core machine needs its time to start fourteen processes.
READY_SECONDS = 240


@dataclass(frozen=True)
class Footing:
    """A running suite: where it answers, where its data is, the launcher's process, and its databases on servers."""

    name: str
    origin: str
    data: Path
    process: subprocess.Popen[bytes]
    database_urls: dict[str, str] = field(default_factory=dict)


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder for a suite's data that the embedded server's user may enter, also when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="deskledger-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def free_ports(count: int) -> int:
    """The first of ``count`` free neighbouring ports, below those that outgoing connections are given."""
    for _ in range(200):
        first = 20000 + secrets.randbelow(12000)
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def standalone(data: Path, *, port: int | None = None, demo: bool = False) -> Iterator[Footing]:
    """``deskledger up`` on embedded PostgreSQL in ``data``; stopped as by Ctrl-C."""
    port = port or free_ports(1)
    told = {
        **_quiet_environment(),
        "DESKLEDGER_PORT": str(port),
        "DESKLEDGER_DATA": str(data),
        "DESKLEDGER_DEMO": "1" if demo else "0",
    }
    with _launched("standalone", [sys.executable, "-m", "standalone", "up"], told, data, port) as footing:
        yield footing


@contextmanager
def servers(data: Path, postgres_url: str, amqp_url: str, *, web_workers: int = 2) -> Iterator[Footing]:
    """``deskledger-servers up``: every web and worker process on PostgreSQL and RabbitMQ, with names of its own."""
    port, mark = free_ports(PORTS), secrets.token_hex(4)
    databases = {service: f"test_{service}_{mark}" for service in STORING}
    urls = {service: _on(postgres_url, name) for service, name in databases.items()}
    told = {
        **_quiet_environment(),
        "DESKLEDGER_PORT": str(port),
        "DESKLEDGER_DATA": str(data),
        "DESKLEDGER_WEB_WORKERS": str(web_workers),
        "AMQP_URL": amqp_url,
        # Thirteen processes share the hundred connections of an ordinary server with the other tests.
        "DATABASE_POOL_SIZE": "4",
        "AMQP_PREFIX": f"test-{mark}-",
        **{f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()},
    }
    try:
        with _launched("servers", [sys.executable, "-m", "servers", "up"], told, data, port) as footing:
            yield replace(footing, database_urls=urls)
    finally:
        _forget_queues(amqp_url, f"test-{mark}-")
        drop_databases(postgres_url, *databases.values())


def _on(postgres_url: str, database: str) -> str:
    return make_url(postgres_url).set(database=database).render_as_string(hide_password=False)


def _quiet_environment() -> dict[str, str]:
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("DESKLEDGER_", "AMQP_", "PYTEST_", "PYTHONDONTWRITE"))
    }


@contextmanager
def _launched(name: str, command: list[str], told: dict[str, str], data: Path, port: int) -> Iterator[Footing]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "launcher.log").open("ab") as log:
        process = subprocess.Popen(command, env=told, stdout=log, stderr=log, start_new_session=True)
        try:
            origin = f"http://127.0.0.1:{port}"
            _wait_until_ready(origin, process, data / "launcher.log")
            yield Footing(name, origin, data, process)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ctrl-C, and the exit status; kills what does not stop within half a minute."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode


def _wait_until_ready(origin: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    pool = urllib3.PoolManager(retries=False, timeout=3)
    last = "no answer yet"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer = pool.request("GET", f"{origin}/readyz")
            if answer.status == 200:
                return
            last = answer.data.decode()
        except urllib3.exceptions.HTTPError as error:
            last = str(error)
        time.sleep(0.1)
    raise AssertionError(f"the suite did not become ready: {last}\n{log.read_text()[-4000:]}")


def _forget_queues(amqp_url: str, prefix: str) -> None:
    with kombu.Connection(amqp_url) as connection:
        Topology(ROUTING, prefix=prefix).delete(connection.channel())
