"""The audit log: who changed what, when and from where, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import DeclarativeBase, Mapped

from common.db import TenantSession
from common.db.plumbing import audit_table, plumbing_metadata
from common.ids import new_id
from common.telemetry import current_trace


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
    more personal data than the change needs.
    """
    trace = current_trace()
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
