"""The audit log: who changed what, when and from where, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session

from common.db import TenantSession
from common.db.collected import Collected
from common.db.plumbing import audit_table, plumbing_metadata
from common.ids import new_id
from common.telemetry import current_trace

_WRITTEN = "audit.written"
_INSERT = """
INSERT INTO audit_log (id, organization_id, at, actor, actor_role, address, action, subject, changes, trace_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


class _PlumbingBase(DeclarativeBase):
    metadata = plumbing_metadata


class AuditEntry(_PlumbingBase):
    """One change. Not filtered by `TenantSession`: start queries with `entries`."""

    __table__ = audit_table

    if TYPE_CHECKING:
        id: Mapped[UUID]
        organization_id: Mapped[UUID]
        at: Mapped[datetime]
        actor: Mapped[str]
        actor_role: Mapped[str | None]
        address: Mapped[str | None]
        action: Mapped[str]
        subject: Mapped[str]
        changes: Mapped[dict[str, Any]]
        trace_id: Mapped[str | None]


def entries(session: TenantSession) -> Select[AuditEntry]:
    """The changes of the session's organisation, to be filtered, sorted and read."""
    return select(AuditEntry).where(AuditEntry.organization_id == session.organization_id)


def record(session: TenantSession, action: str, subject: str, changes: Mapping[str, Any] | None = None) -> None:
    """Note a change of the session's organisation: ``record(session, "location.changed", "loc_…", {"name": "Dock"})``.

    Actor, role, address and trace are those of the current trace; the time is the real one. Pass neither secrets nor
    more personal data than the change needs. What a use case records takes the place of the general entry that the
    HTTP door would write (`common.http.audited`).
    """
    trace = current_trace()
    _COLLECTED.add(
        session,
        (
            new_id(),
            session.organization_id,
            session.clock.now(),
            trace.actor,
            trace.actor_role,
            trace.address,
            action,
            subject,
            msgspec.json.encode(changes or {}).decode(),
            trace.trace_id,
        ),
    )


def is_recorded(session: TenantSession) -> bool:
    """Whether the session has an entry: committed, or in its running transaction."""
    return bool(session.info.get(_WRITTEN) or _COLLECTED.pending(session))


_COLLECTED: Collected[tuple[Any, ...]] = Collected(lambda rows: [(_INSERT, row) for row in rows])


@event.listens_for(TenantSession, "after_commit")
def _remember(session: Session) -> None:
    if not session.in_nested_transaction() and _COLLECTED.written(session):
        session.info[_WRITTEN] = True
