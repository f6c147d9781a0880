"""Reading the outbox back: what the relay publishes and what a resend repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, Cursor

from common.messaging.message import Envelope

COLUMNS = """o.seq, o.message_id, o.type, o.version, o.routing_key, o.organization_id, o.aggregate_id,
    o.aggregate_version, o.body, o.headers, o.causation_id, o.created_at, o.attempts"""

# Rows that wait out a backoff stand in a small partial index, so the look behind costs nothing while all goes well.
_TAKE = f"""
SELECT {COLUMNS} FROM outbox o
WHERE o.published_at IS NULL AND (o.next_attempt_at IS NULL OR o.next_attempt_at <= %(now)s) {{who}}
  AND NOT EXISTS (
    SELECT FROM outbox earlier
    WHERE earlier.published_at IS NULL AND earlier.next_attempt_at IS NOT NULL
      AND earlier.next_attempt_at > %(now)s AND earlier.aggregate_id = o.aggregate_id AND earlier.seq < o.seq)
ORDER BY o.seq LIMIT %(limit)s
FOR UPDATE OF o SKIP LOCKED
"""  # noqa: S608 - made of constants only
_TAKE_ALL = _TAKE.format(who="")
_TAKE_OTHERS = _TAKE.format(
    who="AND o.organization_id IS DISTINCT FROM %(crowd)s AND o.seq BETWEEN %(after)s AND %(to)s"
)
# How far they are looked for: each batch of a long queue looks anew.
_REACH = 20_000


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A stored message with its place in the sequence."""

    seq: int
    envelope: Envelope


def take(cursor: Cursor[Any], now: datetime, limit: int) -> list[OutboxRow]:
    """Lock the next due rows in order, leaving out followers of a row that waits.

    When one organisation fills the whole batch (an import, a nightly run), up to half a batch of others comes with it:
    order matters within an organisation only, and nobody's single message should wait behind ten thousand of others.
    """
    rows = _taken(cursor, _TAKE_ALL, now=now, limit=limit)
    crowd = {row.envelope.organization_id for row in rows}
    if len(rows) < limit or len(crowd) > 1:
        return rows
    last, others = rows[-1].seq, max(1, limit // 2)
    return rows + _taken(cursor, _TAKE_OTHERS, now=now, limit=others, crowd=crowd.pop(), after=last, to=last + _REACH)


def _taken(cursor: Cursor[Any], statement: str, **values: Any) -> list[OutboxRow]:
    cursor.execute(statement, values)
    return [outbox_row(found) for found in cursor]


def outbox_row(values: tuple[Any, ...]) -> OutboxRow:
    """A row of `COLUMNS`."""
    (seq, message_id, type_, version, routing_key, organization_id, aggregate_id) = values[:7]
    (aggregate_version, body, headers, causation_id, created_at, attempts) = values[7:]
    envelope = Envelope(
        message_id=message_id,
        type=type_,
        version=version,
        routing_key=routing_key,
        body=body,
        created_at=created_at,
        producer=headers["producer"],
        organization_id=organization_id,
        aggregate_id=aggregate_id,
        aggregate_version=aggregate_version,
        causation_id=causation_id,
        correlation_id=headers.get("correlation_id"),
        traceparent=headers.get("traceparent"),
        attempt=attempts,
    )
    return OutboxRow(seq, envelope)


def mark_published(cursor: Cursor[Any], seqs: list[int], now: datetime) -> None:
    """Mark rows as published in one statement."""
    cursor.execute("UPDATE outbox SET published_at = %s, last_error = NULL WHERE seq = ANY(%s)", (now, seqs))


def put_off(cursor: Cursor[Any], seq: int, until: datetime, error: str | None) -> None:
    """Count a refusal of a row and let it wait."""
    cursor.execute(
        "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = %s, last_error = %s WHERE seq = %s",
        (until, error, seq),
    )


def waiting(connection: Connection[Any]) -> tuple[int, datetime | None]:
    """How many rows are unpublished, and when the oldest was made."""
    cursor = connection.execute("SELECT count(*), min(created_at) FROM outbox WHERE published_at IS NULL")
    return cursor.fetchone() or (0, None)


def next_due(connection: Connection[Any]) -> datetime | None:
    """When the first of the waiting rows is due."""
    row = connection.execute(
        "SELECT min(next_attempt_at) FROM outbox WHERE published_at IS NULL AND next_attempt_at IS NOT NULL"
    ).fetchone()
    found: datetime | None = row[0] if row else None
    return found


# A name of our own for the advisory lock; the lock is per database, and a database has one outbox.
RELAY_LOCK = 727002


def try_to_lead(connection: Connection[Any]) -> bool:
    """Take the leader's advisory lock on this connection if it is free; it falls with the connection."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (RELAY_LOCK,)).fetchone()
    return bool(row and row[0])
