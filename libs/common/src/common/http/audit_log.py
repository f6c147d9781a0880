"""``POST /internal/audit-log``: a service's part of an organisation's audit log, for the gateway to merge."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from sqlalchemy import Select, or_, tuple_

from common.audit import AuditEntry, entries
from common.config import Settings
from common.db import Database
from common.http.internal import require_internal_caller
from common.ids import encode_id

if TYPE_CHECKING:
    from common.http.app import ServiceApp

_FILTERS = ("actor", "action")


def register_audit_log(app: ServiceApp, settings: Settings, database: Database) -> None:
    """Add the internal path."""

    @app.post("/internal/audit-log")
    def read_audit_log() -> dict[str, Any]:
        require_internal_caller(settings)
        asked = request.get_json()
        return {"items": find_entries(database, app.name, asked)}


def find_entries(database: Database, service: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of {organization_id, limit, before[at, id], actor, action, subject, from, to}, newest first.

    ``subject`` also finds what lies below it (``res_…/pic_…``); ``from`` is inclusive, ``to`` exclusive.
    """
    with database.session(UUID(asked["organization_id"])) as session:
        statement = _filtered(entries(session), asked)
        if asked.get("before"):
            at, entry_id = asked["before"]
            position = tuple_(AuditEntry.at, AuditEntry.id)
            statement = statement.where(position < tuple_(datetime.fromisoformat(at), UUID(entry_id)))
        newest = statement.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(int(asked["limit"]))
        return [_shown(service, entry) for entry in session.scalars(newest)]


def _filtered(statement: Select[AuditEntry], asked: dict[str, Any]) -> Select[AuditEntry]:
    for name in _FILTERS:
        if asked.get(name):
            statement = statement.where(getattr(AuditEntry, name) == asked[name])
    if asked.get("subject"):
        below = AuditEntry.subject.startswith(f"{asked['subject']}/", autoescape=True)
        statement = statement.where(or_(AuditEntry.subject == asked["subject"], below))
    if asked.get("from"):
        statement = statement.where(AuditEntry.at >= datetime.fromisoformat(asked["from"]))
    if asked.get("to"):
        statement = statement.where(AuditEntry.at < datetime.fromisoformat(asked["to"]))
    return statement


def _shown(service: str, entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": encode_id("aud", entry.id),
        "at": entry.at.isoformat(),
        "service": service,
        "actor": entry.actor,
        "actor_role": entry.actor_role,
        "address": entry.address,
        "action": entry.action,
        "subject": entry.subject,
        "changes": entry.changes,
        "trace_id": entry.trace_id,
    }
