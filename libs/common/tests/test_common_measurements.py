"""What the gauges and the doctor say about a database, on a real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import DateTime, Uuid, literal, select

from catalog.service import SERVICE
from common.db import Database
from common.db.plumbing import dead_letter_table, outbox_table
from common.doctor import examine
from common.ids import new_id
from common.jobs import Job
from common.measurements import Measurements
from common.testing.plugin import add_organization


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    return make_database(SERVICE.name, SERVICE.migrations)


def job(organization_id: UUID, due_at: datetime) -> Job:
    """A job with one thing to do."""
    due = select(
        literal(organization_id, Uuid()).label("organization_id"),
        literal(due_at, DateTime(timezone=True)).label("due_at"),
    )
    return Job("sweep", due, lambda _run: None)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "measured", **labels})


def add_trouble(database: Database, age: timedelta) -> None:
    """A message that waits, and one that could not be handled."""
    now = database.clock.now()
    message: dict[str, Any] = {"message_id": new_id(), "type": "location-changed", "version": 1, "body": b"{}"}
    with database.system_session() as session:
        session.execute(
            outbox_table.insert().values(
                **message, routing_key="catalog.location-changed.v1", headers={}, created_at=now - age
            )
        )
        letter = {"id": new_id(), "consumer": "catalog", "message_id": new_id(), "type": "x", "envelope": {}}
        session.execute(dead_letter_table.insert().values(**letter, body=b"", error="e", attempts=5, died_at=now))
        session.commit()


def test_a_quiet_database_measures_zero_and_is_well(database: Database) -> None:
    jobs = [job(add_organization(database), database.clock.now() + timedelta(hours=1))]
    Measurements(database, "measured", jobs, lambda: {"events": 0}).measure()
    assert value("deskledger_outbox_waiting") == value("deskledger_outbox_lag_seconds") == 0
    assert value("deskledger_dead_letters_open") == value("deskledger_job_overdue_seconds", job="sweep") == 0
    assert (value("deskledger_queue_messages", queue="events"), value("deskledger_broker_up")) == (0, 1)
    assert examine(database, SERVICE.migrations, jobs) == []


def test_what_waits_is_measured_and_found(database: Database) -> None:
    jobs = [job(add_organization(database), database.clock.now() - timedelta(hours=2))]
    add_trouble(database, timedelta(minutes=10))
    Measurements(database, "measured", jobs, lambda: None).measure()
    assert value("deskledger_outbox_waiting") == value("deskledger_dead_letters_open") == 1
    assert value("deskledger_outbox_lag_seconds") == pytest.approx(600, abs=30)
    assert value("deskledger_job_overdue_seconds", job="sweep") == pytest.approx(7200, abs=30)
    assert value("deskledger_broker_up") == 0
    findings = examine(database, SERVICE.migrations, jobs)
    assert [any(word in finding for finding in findings) for word in ("relay", "dead-letters", "sweep")] == [True] * 3


def test_work_of_a_rehearsal_is_never_late(database: Database) -> None:
    now = database.clock.now()
    organization_id = add_organization(database, mode="rehearsal", clock_now=now + timedelta(days=30))
    jobs = [job(organization_id, now - timedelta(days=1))]
    Measurements(database, "measured", jobs).measure()
    assert value("deskledger_job_overdue_seconds", job="sweep") == 0
    assert examine(database, SERVICE.migrations, jobs) == []


def test_a_database_that_is_away_is_said_in_plain_words(database: Database) -> None:
    away = Database("postgresql://postgres@127.0.0.1:1/none")
    assert examine(away, SERVICE.migrations) == ["the database cannot be reached or is not migrated"]
    away.dispose()
