"""The audit log: who changed what, when and from where, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import DeclarativeBase

from common.db import TenantSession
from common.db.plumbing import audit_table, plumbing_metadata
from common.ids import new_id
from common.telemetry import current_trace


class _PlumbingBase(DeclarativeBase):
    metadata = plumbing_metadata


class AuditEntry(_PlumbingBase):
    """One change. Not filtered by `TenantSession`: name the organisation in every query."""

    __table__ = audit_table


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
