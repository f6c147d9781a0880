"""When a resource's links or capacity change, what is booked already takes what it now has to, and no more (BOK-1)."""

from __future__ import annotations

import structlog
from sqlalchemy import text

from booking.models import Resource
from common.db import TenantSession

logger = structlog.get_logger(__name__)

# Bookings to come of everything above the resource take all of its units; where somebody booked these apart while
# nothing linked them, both bookings stay, and staff is told by the log.
_TAKE_BELOW = text("""
WITH RECURSIVE above AS (
    SELECT unnest(CAST(:parents AS uuid[])) AS id
  UNION
    SELECT unnest(r.parent_ids) FROM above a JOIN resource r ON r.id = a.id AND r.organization_id = :org
), family AS (
    SELECT r.id, r.number, r.capacity FROM resource r WHERE r.id = :id
  UNION
    SELECT c.id, c.number, c.capacity FROM family f
    JOIN resource c ON c.parent_ids <> '{}' AND c.parent_ids @> ARRAY[f.id] AND c.organization_id = :org
      AND NOT c.archived
), own AS (
  SELECT o.booking_id, o.during, o.lapses_at FROM occupancy o JOIN booking b ON b.id = o.booking_id
  JOIN above ON above.id = b.resource_id JOIN resource r ON r.id = b.resource_id
  WHERE b.ends_at > :now AND o.units <@ int8range(r.number * 1048576, (r.number + 1) * 1048576)
), wanted AS (
  SELECT own.booking_id, own.during, own.lapses_at,
    int8range(f.number * 1048576 + 1, f.number * 1048576 + f.capacity, '[]') AS units
  FROM own CROSS JOIN family f
), outgrown AS (
  DELETE FROM occupancy o USING wanted w
  WHERE o.booking_id = w.booking_id AND o.units && w.units AND o.units <> w.units
  RETURNING o.booking_id
)
SELECT w.booking_id, lower(w.units) AS first, upper(w.units) AS after, lower(w.during) AS starts_at,
  upper(w.during) AS ends_at, w.lapses_at, (SELECT count(*) FROM outgrown) AS outgrown
FROM wanted w ORDER BY lower(w.units), lower(w.during)
""")

_INSERT = text("""
INSERT INTO occupancy (booking_id, units, during, lapses_at)
VALUES (:booking, int8range(:first, :after), tstzrange(:starts_at, :ends_at), :lapses_at)
ON CONFLICT DO NOTHING RETURNING booking_id
""")


# What bookings of others took of the resource, and of what is below it, while they were above it. Whether they are over
# is all the same; and a new database asks this before it knows the organisation's clock.
_FREE_UNLINKED = text("""
WITH RECURSIVE family AS (
    SELECT r.id, r.number, r.parent_ids FROM resource r WHERE r.id = :id
  UNION
    SELECT c.id, c.number, c.parent_ids FROM family f
    JOIN resource c ON c.parent_ids <> '{}' AND c.parent_ids @> ARRAY[f.id] AND c.organization_id = :org
), above AS (
    SELECT f.id AS below, unnest(f.parent_ids) AS id FROM family f
  UNION
    SELECT a.below, unnest(r.parent_ids) FROM above a JOIN resource r ON r.id = a.id AND r.organization_id = :org
)
DELETE FROM occupancy o USING booking b, family f
WHERE b.id = o.booking_id AND b.resource_id <> f.id
  AND o.units <@ int8range(f.number * 1048576, (f.number + 1) * 1048576)
  AND NOT EXISTS (SELECT FROM above a WHERE a.below = f.id AND a.id = b.resource_id)
""")


def free_what_is_unlinked(session: TenantSession, resource: Resource) -> None:
    """Free a resource (and what is below it) of the bookings of what stands above it no more."""
    session.execute(_FREE_UNLINKED, {"id": resource.id, "org": session.organization_id})


def take_what_is_linked(session: TenantSession, resource: Resource) -> None:
    """Let the bookings of a resource's parents take it (and what is below it) after a change of links or capacity."""
    if not resource.parent_ids:
        return
    parameters = {
        "parents": resource.parent_ids,
        "id": resource.id,
        "org": session.organization_id,
        "now": session.now(),
    }
    for row in session.execute(_TAKE_BELOW, parameters).all():
        values = {"booking": row.booking_id, "first": row.first, "after": row.after}
        values |= {"starts_at": row.starts_at, "ends_at": row.ends_at, "lapses_at": row.lapses_at}
        if session.execute(_INSERT, values).first() is None:
            logger.info("linked_time_kept_or_taken", booking=str(row.booking_id), resource=str(resource.id))
