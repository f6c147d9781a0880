"""The audit log: who changed what, when and from where, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Select, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, SessionTransaction

from common.db import TenantSession
from common.db.plumbing import audit_table, plumbing_metadata
from common.ids import new_id
from common.telemetry import current_trace

_PENDING = "audit.pending"
_WRITTEN = "audit.written"


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
    session.info[_PENDING] = True
    session.add(
        AuditEntry(
            id=new_id(),
            organization_id=session.organization_id,
            at=session.clock.now(),
            actor=trace.actor,
            actor_role=trace.actor_role,
            address=trace.address,
            action=action,
            subject=subject,
            changes=dict(changes or {}),
            trace_id=trace.trace_id,
        )
    )


def is_recorded(session: TenantSession) -> bool:
    """Whether the session has an entry: committed, or in its running transaction."""
    return bool(session.info.get(_PENDING) or session.info.get(_WRITTEN))


@event.listens_for(TenantSession, "after_commit")
def _keep(session: TenantSession) -> None:
    if not session.in_nested_transaction() and session.info.pop(_PENDING, False):
        session.info[_WRITTEN] = True


@event.listens_for(TenantSession, "after_soft_rollback")
def _forget(session: TenantSession, _transaction: SessionTransaction) -> None:
    session.info.pop(_PENDING, None)
