"""The outbox: messages are rows of the transaction that makes them true, and nothing else publishes (ARCHITECTURE 4).

`add` serialises at once and collects; the rows are inserted in one statement just before the commit, after the flush,
so that a row's place in the sequence is taken while its aggregate is locked: order per aggregate is order of commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from common.db.database import TenantSession
from common.ids import new_id
from common.messaging.message import Message
from common.telemetry import current_trace

_PENDING = "outbox.pending"
_WRITTEN = "outbox.written"
_INSERTED = "outbox.inserted"
_SAVEPOINTS = "outbox.savepoints"

# One statement for all rows: one round trip, and the statement trigger rings NOTIFY once. Binary arrays spare quoting.
_INSERT = """
INSERT INTO outbox (message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
                    body, headers, causation_id, created_at)
SELECT message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
       body, headers::jsonb, causation_id, created_at
FROM unnest(%b::uuid[], %b::text[], %b::int[], %b::text[], %b::uuid[], %b::uuid[], %b::bigint[],
            %b::bytea[], %b::text[], %b::uuid[], %b::timestamptz[]) WITH ORDINALITY
  AS r (message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
        body, headers, causation_id, created_at, place)
ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class _Row:
    message_id: UUID
    type: str
    version: int
    routing_key: str
    organization_id: UUID | None
    aggregate_id: UUID
    aggregate_version: int
    body: bytes
    headers: str
    causation_id: UUID | None
    created_at: datetime


_COLUMNS = tuple(_Row.__slots__)


def add(
    session: TenantSession,
    message: Message,
    *,
    aggregate_id: UUID,
    aggregate_version: int,
    organization_id: UUID | UnsetType | None = UNSET,
) -> UUID:
    """Announce a fact in the session's transaction; returns the message's id.

    Lock or version-bump the aggregate's row before. ``organization_id`` is the session's unless given; causation,
    request id and trace come from the current trace. Nothing stays after a rollback.
    """
    trace = current_trace()
    row = _Row(
        message_id=new_id(),
        type=message.name,
        version=message.major,
        routing_key=message.routing_key(),
        organization_id=session.organization_id if isinstance(organization_id, UnsetType) else organization_id,
        aggregate_id=aggregate_id,
        aggregate_version=aggregate_version,
        body=message.encode(),
        headers=_headers(message, trace.request_id, trace.traceparent),
        causation_id=trace.causation_id,
        created_at=session.clock.now(),
    )
    session.info.setdefault(_PENDING, []).append(row)
    # An untouched session would commit nothing at all: begin, so that the commit comes past here.
    if not session.in_transaction():
        session.begin()
    return row.message_id


def add_many(session: TenantSession, messages: Iterable[tuple[Message, UUID, int]]) -> list[UUID]:
    """`add` for each (message, aggregate id, aggregate version), in this order."""
    return [
        add(session, message, aggregate_id=aggregate_id, aggregate_version=aggregate_version)
        for message, aggregate_id, aggregate_version in messages
    ]


def written(session: TenantSession) -> list[tuple[UUID, str]]:
    """(id, routing key) of the messages that the session's last commit wrote."""
    found: list[tuple[UUID, str]] = session.info.get(_WRITTEN, [])
    return found


def _headers(message: Message, request_id: str, traceparent: str) -> str:
    return msgspec.json.encode(
        {"producer": message.service, "correlation_id": request_id or None, "traceparent": traceparent}
    ).decode()


@event.listens_for(TenantSession, "before_commit")
def _insert_collected(session: Session) -> None:
    # A savepoint's release comes here too, but may still be rolled back with what surrounds it.
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    session.flush()
    rows: list[_Row] = session.info.pop(_PENDING)
    parameters: tuple[Any, ...] = tuple([getattr(row, column) for row in rows] for column in _COLUMNS)
    session.connection().exec_driver_sql(_INSERT, parameters)
    session.info.setdefault(_INSERTED, []).extend((row.message_id, row.routing_key) for row in rows)


@event.listens_for(TenantSession, "after_commit")
def _remember_written(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_WRITTEN] = session.info.pop(_INSERTED, [])


@event.listens_for(TenantSession, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_SAVEPOINTS, {})[transaction] = len(session.info.get(_PENDING, ()))


@event.listens_for(TenantSession, "after_soft_rollback")
def _forget_rolled_back(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        pending = session.info.get(_PENDING, [])
        del pending[session.info.get(_SAVEPOINTS, {}).get(transaction, 0) :]


@event.listens_for(TenantSession, "after_transaction_end")
def _forget_ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for key in (_PENDING, _INSERTED, _SAVEPOINTS):
            session.info.pop(key, None)
