"""``deskledger admin``: the services' own commands on the suite's databases."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from common.db import Database
from common.db.migrate import create_database, drop_databases
from common.db.plumbing import inbox_table
from common.ids import new_id
from common.messaging import outbox
from common.messaging.local import LocalTransport
from common.messaging.relay import Relay
from contracts.members import ClockAdvanced
from contracts.subscriptions import ROUTING
from standalone.administration import Installation, admin
from standalone.config import SuiteSettings
from standalone.services import ALL_SERVICES
from standalone.suite import make_runtime

Run = Callable[..., Result]
USED = ("members", "catalog")


@pytest.fixture
def installation(postgres_server_url: str, tmp_path: Path) -> Iterator[Installation]:
    """Two services of a suite with databases of their own."""
    prefix = f"test_admin_{secrets.token_hex(3)}_"
    settings = SuiteSettings(
        port=8000, data=tmp_path, demo=False, internal_token="t", secret="s", database_prefix=prefix
    )
    for service in ALL_SERVICES:
        if service.name in USED:
            create_database(postgres_server_url, f"{prefix}{service.name}")
            runtime = make_runtime(service, settings, postgres_server_url)
            runtime.migrate()
            runtime.close()
    yield Installation(settings, postgres_server_url)
    drop_databases(postgres_server_url, *(f"{prefix}{name}" for name in USED))


@pytest.fixture
def run(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("members", "doctor")`` is ``deskledger admin members doctor``."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return lambda *words: CliRunner().invoke(admin, words, obj=installation)


def database_of(installation: Installation, name: str) -> Database:
    service = next(each for each in ALL_SERVICES if each.name == name)
    return make_runtime(service, installation.settings, installation.server_url).database


def test_messages_are_resent_without_a_broker_and_dropped_where_they_arrived_before(
    installation: Installation, run: Run
) -> None:
    members, catalog = database_of(installation, "members"), database_of(installation, "catalog")
    with members.system_session() as session:
        message: Any = ClockAdvanced(organization_id=new_id(), now=session.clock.now(), clock_version=1)
        outbox.add(session, message, aggregate_id=new_id(), aggregate_version=1, organization_id=None)
        session.commit()
    Relay(members, LocalTransport({}, ROUTING), "members").run_until_empty()
    sent = [run("members", "outbox", "resend", "catalog") for _ in range(2)]
    assert [(each.exit_code, each.output) for each in sent] == [(0, "2 messages sent to catalog\n")] * 2
    with catalog.system_session() as session:
        assert session.scalar(select(func.count()).select_from(inbox_table)) == 2
    members.dispose()
    catalog.dispose()


def test_every_service_has_its_commands_and_refusals_are_sentences(run: Run) -> None:
    assert "rotate-keys" in run("members", "--help").output
    assert set(admin.commands) == {service.name for service in ALL_SERVICES}
    for command in ("show", "replay", "drop"):
        refused = run("members", "dead-letters", command, str(new_id()))
        assert (refused.exit_code, "there is no dead letter" in refused.output) == (1, True), refused.output
