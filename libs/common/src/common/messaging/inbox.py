"""The inbox: one row per (consumer, message), written in the handler's transaction, makes its effect happen once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from common.db.database import TenantSession
from common.messaging.message import Envelope

_RECORD = """
INSERT INTO inbox (consumer, message_id, type, organization_id, handled_at)
SELECT %s, message_id, type, organization_id, %s
FROM unnest(%b::uuid[], %b::text[], %b::uuid[]) AS r (message_id, type, organization_id)
ON CONFLICT DO NOTHING RETURNING message_id
"""


def record(session: TenantSession, consumer: str, envelopes: Sequence[Envelope]) -> set[UUID]:
    """Enter messages as handled by a consumer; returns the ids that were not there before.

    Waits for another transaction that is just handling one of them. Rows go in sorted by id, so that two consumers
    with overlapping batches wait for each other instead of deadlocking.
    """
    ordered = sorted(envelopes, key=lambda envelope: envelope.message_id)
    result = session.connection().exec_driver_sql(
        _RECORD,
        (
            consumer,
            session.clock.now(),
            [envelope.message_id for envelope in ordered],
            [envelope.type for envelope in ordered],
            [envelope.organization_id for envelope in ordered],
        ),
    )
    return {row[0] for row in result}
