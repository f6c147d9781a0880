"""Sending a producer's past messages to one consumer again, with the same ids: what it has handled, its inbox drops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from time import sleep
from typing import Any
from uuid import UUID

from common.db.database import Database
from common.messaging.message import Envelope
from common.messaging.outbox_rows import COLUMNS, OutboxRow, outbox_row
from common.messaging.relay import TransportDownError
from common.messaging.transport import Delivery, Transport

_PAGE = f"""
SELECT {COLUMNS} FROM outbox o
WHERE o.seq > %(after)s AND o.published_at IS NOT NULL
  AND (%(since)s::timestamptz IS NULL OR o.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR o.created_at < %(until)s)
  AND (%(organization)s::uuid IS NULL OR o.organization_id = %(organization)s)
ORDER BY o.seq LIMIT %(limit)s
"""  # noqa: S608 - made of constants only


def resend(
    database: Database,
    transport: Transport,
    to_service: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    organization_id: UUID | None = None,
    types: Sequence[str] | None = None,
    batch: int = 300,
) -> int:
    """Send published outbox rows, oldest first, to one of their subscribers; returns how many went.

    ``types`` are message names (``booking-created``); without them all that the service listens to go. Rows not
    published yet are left to the relay. Raises TransportDownError when the transport stays out of reach; starting
    over is safe.
    """
    sent = 0
    limits = {"since": since, "until": until, "organization": organization_id, "limit": batch}
    for rows in _pages(database, limits):
        wanted = [
            replace(row.envelope, attempt=0)
            for row in rows
            if transport.subscribes(to_service, row.envelope.routing_key)
            and (types is None or row.envelope.type in types)
        ]
        _send(transport, to_service, wanted)
        sent += len(wanted)
    return sent


def _pages(database: Database, limits: dict[str, Any]) -> Iterator[list[OutboxRow]]:
    after = 0
    while rows := _page(database, {**limits, "after": after}):
        yield rows
        after = rows[-1].seq


def _page(database: Database, parameters: dict[str, Any]) -> list[OutboxRow]:
    with database.system_session() as session:
        result = session.connection().exec_driver_sql(_PAGE, parameters)
        return [outbox_row(tuple(row)) for row in result]


def _send(transport: Transport, service: str, envelopes: Sequence[Envelope]) -> None:
    """Until all are taken; what is refused (a full queue, a transient failure) is brought again after the backoff."""
    for delay in (*transport.retry_delays, None):
        answers = transport.send_to(service, envelopes) if envelopes else []
        left = [
            (envelope, answer)
            for envelope, answer in zip(envelopes, answers, strict=True)
            if answer.delivery is not Delivery.ACCEPTED
        ]
        if not left:
            return
        if delay is None:
            raise TransportDownError(left[0][1].error or "not taken")
        envelopes = [envelope.retried() for envelope, _ in left]
        sleep(delay)
