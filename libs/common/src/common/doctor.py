"""What is wrong with a service, in plain words and with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from common.db import Database, TenantSession
from common.db.plumbing import outbox_table, signing_key_table
from common.db.revisions import database_fault
from common.jobs import Job
from common.measurements import late_jobs, open_letters

_PATIENCE = timedelta(minutes=1)
_JOB_PATIENCE = timedelta(minutes=15)


def examine(database: Database, migrations: Path | None = None, jobs: Sequence[Job] = ()) -> list[str]:
    """What is wrong with a service's database and the work in it; empty when all is well."""
    fault = database_fault(database, migrations) if migrations else None
    if fault:
        return [fault]
    now = database.clock.now()
    try:
        with database.system_session() as session:
            found = [_waiting(session, now), _refused(session), _letters(session), _keys(session)]
            found += _late(session, jobs, now)
    except SQLAlchemyError as error:
        return [f"the database cannot be read ({type(error).__name__}): is it up and migrated?"]
    return [finding for finding in found if finding]


def _waiting(session: TenantSession, now: datetime) -> str | None:
    old = outbox_table.c.published_at.is_(None) & (outbox_table.c.created_at < now - _PATIENCE)
    stuck = session.scalar(select(func.count()).select_from(outbox_table).where(old)) or 0
    if not stuck:
        return None
    return f"{stuck} messages have waited over a minute for the relay: is the worker (and broker) up?"


def _refused(session: TenantSession) -> str | None:
    table = outbox_table
    refused = table.c.published_at.is_(None) & table.c.last_error.is_not(None)
    row = session.execute(select(table.c.type, table.c.last_error).where(refused).order_by(table.c.seq)).first()
    return f"a message {row.type} is refused again and again: {row.last_error[:200]}" if row else None


def _letters(session: TenantSession) -> str | None:
    letters = open_letters(session)
    return f"{letters} messages could not be handled: see 'admin dead-letters list'" if letters else None


def _keys(session: TenantSession) -> str | None:
    if session.scalar(select(func.count()).select_from(signing_key_table)):
        return None
    return "the keys that sign access tokens have not arrived: is the members worker up?"


def _late(session: TenantSession, jobs: Sequence[Job], now: datetime) -> list[str | None]:
    return [
        f"the job {name} has had work to do since {due_at:%F %R} UTC: is the worker up? see 'job_failed' in its log"
        for name, due_at in late_jobs(session, jobs, now).items()
        if due_at is not None and due_at < now - _JOB_PATIENCE
    ]
