"""One request followed through the running suite by its trace id, and what the doctor says about the suite."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import footings
import psycopg
import pytest
from client import GatewayClient
from story import sign_up

from standalone.postgres import database_url, embedded_server

pytestmark = pytest.mark.timeout(240)
SECRET = "hunter2-of-the-tests"


@pytest.fixture(scope="module")
def running() -> Iterator[footings.Footing]:
    """``deskledger up`` with JSON logs at the usual level of servers."""
    with pytest.MonkeyPatch.context() as patch, footings.data_folder() as data:
        patch.setenv("LOG_FORMAT", "json")
        patch.setenv("LOG_LEVEL", "INFO")
        with footings.standalone(data) as footing:
            yield footing


def doctor(footing: footings.Footing) -> subprocess.CompletedProcess[str]:
    told = {
        **os.environ,
        "DESKLEDGER_DATA": str(footing.data),
        "DESKLEDGER_PORT": footing.origin.rpartition(":")[2],
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-m", "standalone", "doctor"]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False)


def log_lines(footing: footings.Footing) -> list[dict[str, Any]]:
    lines = (footing.data / "launcher.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def outbox_rows(data: Path, service: str, trace_id: str) -> list[tuple[str, str, Any]]:
    """(type, traceparent, causation) of a service's messages of a trace."""
    query = "SELECT type, headers->>'traceparent', causation_id FROM outbox WHERE headers->>'traceparent' LIKE %s"
    with (
        embedded_server(data / "postgres") as server,
        psycopg.connect(database_url(server, f"deskledger_{service}")) as connection,
    ):
        return connection.execute(query, (f"00-{trace_id}-%",)).fetchall()


def test_one_trace_id_leads_from_the_gateway_through_the_outbox_to_the_last_consumer(running: footings.Footing) -> None:
    trace_id = secrets.token_hex(16)
    sent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    slug = f"harbour-{secrets.token_hex(4)}"
    body = {
        "name": "Harbour Works",
        "slug": slug,
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "mode": "rehearsal",
        "owner": {"name": "Example Owner", "email": f"owner@{slug}.example", "password": SECRET},
    }
    answer = GatewayClient(running.origin).send("POST", "/v1/organizations?note=" + SECRET, body, sent)
    assert answer.status == 201, answer.body
    first = outbox_rows(running.data, "members", trace_id)
    assert "organization-changed" in {kind for kind, _, _ in first}
    assert {causation for _, _, causation in first} == {None}
    # Payments connects the sandbox in its handler: a message that a message caused.
    later = _eventually(lambda: outbox_rows(running.data, "payments", trace_id))
    assert {kind for kind, _, _ in later} >= {"gateway-changed"}
    assert None not in {causation for _, _, causation in later}
    wanted = {("payments", "organization-changed"), ("notifications", "gateway-changed")}
    _eventually(lambda: wanted <= {(each["consumer"], each["type"]) for each in _handled(running, trace_id)})
    requests = [each for each in log_lines(running) if each["event"] == "http_request" and each["trace_id"] == trace_id]
    assert [(each["method"], each["route"], each["status"]) for each in requests] == [
        ("POST", "/v1/organizations", 201)
    ] * 2, "one line of members, one of the gateway"
    assert all(each["ms"] > 0 for each in requests)
    assert SECRET not in (running.data / "launcher.log").read_text()


def _handled(footing: footings.Footing, trace_id: str) -> list[dict[str, Any]]:
    lines = log_lines(footing)
    return [each for each in lines if each["event"] == "message_handled" and each.get("trace_id") == trace_id]


def _eventually(ask: Any) -> Any:
    deadline = time.monotonic() + 20
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)
    return found


def test_owners_read_what_all_services_recorded_in_one_list(running: footings.Footing) -> None:
    api, organization = sign_up(GatewayClient(running.origin))
    location = api.post("/v1/locations", {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin"})
    api.patch("/v1/settings/billing", {"payment_terms_days": 7})
    log = api.get("/v1/audit-log")
    assert log["missing_services"] == []
    shown = [(each["service"], each["action"], each["subject"]) for each in log["items"]]
    assert shown == [
        ("invoicing", "PATCH /v1/settings/billing", "settings/billing"),
        ("catalog", "POST /v1/locations", location["id"]),
        ("members", "organization.created", organization["id"]),
    ]
    assert {each["address"] for each in log["items"]} == {"127.0.0.1"}
    other, _ = sign_up(GatewayClient(running.origin))
    assert [each["service"] for each in other.get("/v1/audit-log")["items"]] == ["members"]


def test_the_doctor_finds_a_running_suite_well_and_a_stopped_one_not(running: footings.Footing) -> None:
    found = doctor(running)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "payments is well" in found.stdout
    assert footings.stop(running.process) == 0
    found = doctor(running)
    assert found.returncode == 1
    assert "gateway: nothing answers" in found.stdout
    assert "payments is well" in found.stdout
