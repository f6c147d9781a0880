"""What the gateway alone may ask: has everything that a request or a clock step caused arrived here?

Answers are about one organisation. The gateway walks the tree of messages (`caused`) and looks into the inboxes of
their subscribers (`missing`) until nothing is outstanding; ARCHITECTURE section 5 calls that settled.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from sqlalchemy import func, select

from common.config import Settings
from common.db import Database, TenantSession
from common.db.plumbing import dead_letter_table, inbox_table, organization_table, outbox_table
from common.errors import NotFoundError
from common.jobs import Job, next_due_in

if TYPE_CHECKING:
    from common.http.app import ServiceApp
    from common.service import Service

INTERNAL_HEADER = "Deskledger-Internal-Token"


def require_internal_caller(settings: Settings) -> None:
    """Only holders of the internal token see that internal paths exist."""
    sent = request.headers.get(INTERNAL_HEADER, "")
    if not secrets.compare_digest(sent.encode(), settings.internal_token.encode()):
        raise NotFoundError("not_found", "there is nothing here")


def register_internal(app: ServiceApp, service: Service, settings: Settings, database: Database) -> None:
    """Add ``POST /internal/settlement``."""
    jobs = tuple(service.build_jobs(settings))

    @app.post("/internal/settlement")
    def settlement() -> dict[str, Any]:
        require_internal_caller(settings)
        asked = request.get_json()
        return report(database, service.name, jobs, asked)


def report(database: Database, name: str, jobs: tuple[Job, ...], asked: dict[str, Any]) -> dict[str, Any]:
    """Answer {organization_id, expect[], caused_by[], after_seq} with this service's side of the story."""
    organization_id = UUID(asked["organization_id"]) if asked.get("organization_id") else None
    expect = [UUID(value) for value in asked.get("expect", ())]
    caused_by = [UUID(value) for value in asked.get("caused_by", ())]
    answer: dict[str, Any] = {"service": name}
    # Causes are looked for before their effects: what happens in between shows as one or the other, never as neither.
    with database.system_session() as session:
        if asked.get("after_seq") is not None and organization_id is not None:
            due = next_due_in(session, jobs, organization_id)
            answer["next_due"] = due.isoformat() if due else None
        answer["missing"] = _missing(session, expect)
        answer["caused"] = _messages(session, outbox_table.c.causation_id.in_(caused_by)) if caused_by else []
        if asked.get("after_seq") is not None:
            answer |= _standing(session, organization_id, int(asked["after_seq"]))
    return answer


def _missing(session: TenantSession, expect: list[UUID]) -> list[str]:
    if not expect:
        return []
    # A dead letter is not awaited: it waits for a person.
    arrived = set(session.scalars(select(inbox_table.c.message_id).where(inbox_table.c.message_id.in_(expect))))
    arrived |= set(
        session.scalars(select(dead_letter_table.c.message_id).where(dead_letter_table.c.message_id.in_(expect)))
    )
    return [str(message_id) for message_id in expect if message_id not in arrived]


def _messages(session: TenantSession, condition: Any) -> list[dict[str, Any]]:
    table = outbox_table
    statement = select(table.c.seq, table.c.message_id, table.c.routing_key).where(condition)
    rows = session.execute(statement.order_by(table.c.seq).limit(5000))
    return [{"seq": row.seq, "id": str(row.message_id), "routing_key": row.routing_key} for row in rows]


def _standing(session: TenantSession, organization_id: UUID | None, after_seq: int) -> dict[str, Any]:
    """Where this service stands: its clock, what it published since, what is not yet published."""
    table = outbox_table
    mine = table.c.organization_id == organization_id
    clock = select(organization_table.c.clock_now).where(organization_table.c.id == organization_id)
    unpublished = select(func.count()).where(mine, table.c.published_at.is_(None))
    last = select(func.coalesce(func.max(table.c.seq), 0)).where(mine)
    parts = (clock.scalar_subquery(), unpublished.scalar_subquery(), last.scalar_subquery())
    now, waiting, last_seq = session.execute(select(*parts)).one()
    return {
        "now": now.isoformat() if now else None,
        "unpublished": waiting,
        "published": _messages(session, mine & (table.c.seq > after_seq)) if last_seq > after_seq else [],
        "last_seq": last_seq,
    }
