"""The outbox: messages are rows of the transaction that makes them true, and nothing else publishes (ARCHITECTURE 4).

`add` serialises at once and collects; the rows are written in one statement just before the commit, after the flush,
so that a row's place in the sequence is taken while its aggregate is locked: order per aggregate is order of commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from common.db.collected import Collected
from common.db.copying import copy_rows
from common.db.database import TenantSession
from common.db.plumbing import outbox_table
from common.db.statements import Statement
from common.ids import new_id
from common.messaging.message import Message
from common.telemetry import Trace, current_trace

_WRITTEN = "outbox.written"

# From here on COPY is faster.
_COPIED_FROM = 10
# Arrays cost more than one row does.
_INSERT_ONE = """
INSERT INTO outbox (message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
                    body, headers, causation_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
# One statement for all rows.
_INSERT = """
INSERT INTO outbox (message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
                    body, headers, causation_id, created_at)
SELECT message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
       body, headers::jsonb, causation_id, created_at
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[],
            $8::bytea[], $9::text[], $10::uuid[], $11::timestamptz[]) WITH ORDINALITY
  AS r (message_id, type, version, routing_key, organization_id, aggregate_id, aggregate_version,
        body, headers, causation_id, created_at, place)
ORDER BY place
"""


class _Row(NamedTuple):
    message_id: UUID
    type: str
    version: int
    routing_key: str
    organization_id: UUID | None
    aggregate_id: UUID
    aggregate_version: int
    body: bytes
    headers: dict[str, str | None] | str
    causation_id: UUID | None
    created_at: datetime


_COLUMNS = _Row._fields


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
    owner = session.organization_id if isinstance(organization_id, UnsetType) else organization_id
    return _add(session, [(message, aggregate_id, aggregate_version)], owner)[0]


def add_many(session: TenantSession, messages: Iterable[tuple[Message, UUID, int]]) -> list[UUID]:
    """`add` for each (message, aggregate id, aggregate version), in this order."""
    return _add(session, messages, session.organization_id)


def _add(session: TenantSession, messages: Iterable[tuple[Message, UUID, int]], owner: UUID | None) -> list[UUID]:
    trace, now = current_trace(), session.clock.now()
    headers: dict[str, dict[str, str | None]] = {}
    rows = []
    for message, aggregate_id, version in messages:
        if message.service not in headers:
            headers[message.service] = _headers(message, trace)
        rows.append(
            _Row(
                new_id(), message.name, message.major, message.routing_key(), owner, aggregate_id, version,
                message.encode(), headers[message.service], trace.causation_id, now,
            )
        )  # fmt: skip
    _COLLECTED.add(session, *rows)
    return [row.message_id for row in rows]


def written(session: TenantSession) -> list[tuple[UUID, str]]:
    """(id, routing key) of the messages that the session's last commit wrote."""
    found: list[tuple[UUID, str]] = session.info.get(_WRITTEN, [])
    return found


def _headers(message: Message, trace: Trace) -> dict[str, str | None]:
    return {
        "producer": message.service,
        "correlation_id": trace.request_id or None,
        "traceparent": trace.traceparent,
    }


def _write(rows: Sequence[_Row]) -> Sequence[Statement]:
    """One statement, with the headers as JSON texts."""
    ready = [row._replace(headers=msgspec.json.encode(row.headers).decode()) for row in rows]
    if len(ready) == 1:
        return [(_INSERT_ONE, ready[0])]
    return [(_INSERT, tuple(map(list, zip(*ready, strict=True))))]


def _copy(connection: Connection, rows: Sequence[_Row]) -> None:
    copy_rows(connection, outbox_table, _COLUMNS, rows)


_COLLECTED = Collected(_write, bulk_from=_COPIED_FROM, write_bulk=_copy, ring="outbox")


@event.listens_for(TenantSession, "after_commit")
def _remember_written(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_WRITTEN] = [(row.message_id, row.routing_key) for row in _COLLECTED.written(session)]
