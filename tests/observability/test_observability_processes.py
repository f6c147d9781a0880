"""Health and metrics of real processes: gunicorn with two workers, and a worker with and without its broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from footings import free_ports, stop
from prometheus_client.parser import text_string_to_metric_families

from catalog.service import SERVICE
from common.db import Database, revisions
from common.messaging.broker import BrokerConnection
from common.messaging.topology import Topology
from contracts.subscriptions import ROUTING

REQUESTS = 40


@pytest.fixture(scope="module")
def database(make_database: Callable[..., Database]) -> Database:
    return make_database(SERVICE.name, SERVICE.migrations)


@contextmanager
def process(database: Database, tmp_path: Path, *words: str, **told: str) -> Iterator[None]:
    """``python -m catalog <words>``."""
    environment = {**os.environ, "DATABASE_URL": database.url, "DESKLEDGER_INTERNAL_TOKEN": "internal", **told}
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-m", "catalog", *words], env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            stop(started)


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body; waits until somebody answers."""
    deadline = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.1)


def eventually(port: int, path: str, accept: Callable[[int, str], bool]) -> str:
    deadline = time.monotonic() + 30
    while not accept(*(found := ask(port, path))):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found[1]


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by metric and sorted label values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels[key] for key in sorted(sample.labels))] = sample.value
    return found


def test_two_gunicorn_workers_count_together(database: Database, tmp_path: Path) -> None:
    port, folder = free_ports(1), tmp_path / "metrics"
    folder.mkdir()
    web = ("web", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "2")
    with process(database, tmp_path, *web, PROMETHEUS_MULTIPROC_DIR=str(folder)):
        ask(port, "/livez")
        for _ in range(REQUESTS - 1):
            assert ask(port, "/livez")[0] == 200
        for _ in range(10):
            counted = samples(ask(port, "/metrics")[1])["deskledger_http_requests_total"]
            assert counted["GET", "/livez", "catalog", "200"] == REQUESTS


def test_a_worker_tells_its_health_and_measures_what_waits(
    database: Database, tmp_path: Path, amqp_url: str, amqp_prefix: str
) -> None:
    port = free_ports(1)
    told = {"AMQP_URL": amqp_url, "AMQP_PREFIX": amqp_prefix, "WORKER_PORT": str(port)}
    try:
        with process(database, tmp_path, "worker", **told):
            assert ask(port, "/livez")[0] == 200
            body = eventually(port, "/readyz", lambda status, _: status == 200)
            assert json.loads(body) == {"status": "ready", "service": "catalog", "process": "worker"}
            text = eventually(port, "/metrics", lambda _, text: 'queue="events"' in text)
            assert ask(port, "/secrets")[0] == 404
    finally:
        connection = BrokerConnection(amqp_url)
        Topology(ROUTING, prefix=amqp_prefix).delete(connection.channel())
        connection.drop()
    found = samples(text)
    assert found["deskledger_queue_messages"]["events", "catalog"] == 0
    assert found["deskledger_broker_up"] == {("catalog",): 1}
    assert found["deskledger_outbox_lag_seconds"] == {("catalog",): 0}
    assert found["deskledger_dead_letters_open"] == {("catalog",): 0}
    assert found["deskledger_measured_timestamp_seconds"]["catalog",] > 0


def test_a_worker_without_its_broker_lives_and_is_not_ready(database: Database, tmp_path: Path) -> None:
    port, nobody = free_ports(1), free_ports(1)
    told = {"AMQP_URL": f"amqp://guest:guest@127.0.0.1:{nobody}//", "WORKER_PORT": str(port)}
    with process(database, tmp_path, "worker", **told):
        assert ask(port, "/livez")[0] == 200
        status, body = ask(port, "/readyz")
        assert status == 503
        assert json.loads(body)["faults"] == ["the broker cannot be reached: no messages are consumed"]
        text = eventually(port, "/metrics", lambda _, text: "deskledger_broker_up{" in text)
    assert samples(text)["deskledger_broker_up"] == {("catalog",): 0}
    assert "guest:guest" not in (tmp_path / "log").read_text()


def test_a_web_process_behind_its_migrations_is_not_ready(
    service_app: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = service_app(SERVICE)
    monkeypatch.setattr(revisions, "_revisions", lambda _: ("9999_next", frozenset({"9999_next", _head(app)})))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "lacks the newest migrations" in answer.json["detail"]
    monkeypatch.setattr(revisions, "_revisions", lambda _: ("0000_older", frozenset({"0000_older"})))
    assert "migrations" not in app.test_client().get("/readyz").json.get("detail", ""), "a newer program's schema fits"


def _head(app: Any) -> str:
    with app.extensions["database"].engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
