"""Taking and freeing time: who gets a unit of a resource is decided by the exclusion constraint alone (BOK-1).

A booking takes a unit of its own resource, and all units of everything below it (the halves of a hall). A booking of
a half so keeps the whole hall from being booked, and leaves the other half alone.

Order of locks everywhere: booking rows by id, then credit grants by id, then occupancy by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text, update

from booking.domain.intervals import Interval
from booking.models import Occupancy
from common.db import TenantSession
from common.db.statements import run

UNITS_PER_RESOURCE = 2**20
_MOST_ATTEMPTS = 20
Units = tuple[int, int]  # first and last number, both taken


@dataclass(frozen=True, slots=True)
class Premises:
    """What booking a resource takes: one of the ``capacity`` units of ``number``, and everything ``below`` it."""

    number: int
    capacity: int = 1
    below: tuple[Units, ...] = ()

    @property
    def first_unit(self) -> int:
        """The number of the unit before the first."""
        return self.number * UNITS_PER_RESOURCE


@dataclass(frozen=True, slots=True)
class Claim:
    """A booking that wants its time, buffers included; ``lapses_at`` is when it would give it up by itself."""

    booking_id: UUID
    during: Interval
    lapses_at: datetime | None = None


def all_units(number: int, capacity: int) -> Units:
    """Every unit of a resource, as `Premises.below` wants them."""
    first = number * UNITS_PER_RESOURCE
    return first + 1, first + max(capacity, 1)


# ON CONFLICT makes two transactions that want the same wait for each other in order, where a plain INSERT into an
# exclusion constraint would deadlock; the fixed order of rows does the same for several rows. From the second attempt
# on units are tried in random order, because others are likely to be trying the first free one, too.
_ONE_CLAIM = """
SELECT $1::uuid AS booking_id, tstzrange($2::timestamptz, $3::timestamptz) AS during, $4::timestamptz AS lapses_at"""
_CLAIMS = """
SELECT booking_id, tstzrange(starts_at, ends_at) AS during, lapses_at
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
  AS c (booking_id, starts_at, ends_at, lapses_at)"""
_ONLY_UNIT = "SELECT claim.*, int8range($5::bigint + 1, $5 + $6::bigint, '[]') AS units FROM claim"
_A_FREE_UNIT = """
SELECT claim.*, u.units FROM claim CROSS JOIN LATERAL (
  SELECT int8range($5::bigint + n, $5 + n, '[]') AS units FROM generate_series(1, $6::bigint) n
  WHERE NOT EXISTS (
    SELECT FROM occupancy o WHERE o.units && int8range($5 + n, $5 + n, '[]') AND o.during && claim.during)
  ORDER BY {order} LIMIT 1) u"""
_WITH_ALL_BELOW = """
UNION ALL
SELECT claim.*, int8range(b.first, b.last, '[]')
FROM claim CROSS JOIN unnest($7::bigint[], $8::bigint[]) AS b (first, last)
"""


@cache
def _placing(*, single: bool, only_unit: bool, with_below: bool, shuffled: bool) -> str:
    """The statement that takes time. Simple cases leave parts of it out: then PostgreSQL plans it once and for all."""
    wanted = _ONLY_UNIT if only_unit else _A_FREE_UNIT.format(order="random()" if shuffled else "n")
    wanted += _WITH_ALL_BELOW if with_below else ""
    return f"""
WITH claim AS ({_ONE_CLAIM if single else _CLAIMS}), wanted AS ({wanted})
INSERT INTO occupancy (booking_id, units, during, lapses_at)
SELECT booking_id, units, during, lapses_at FROM wanted ORDER BY lower(units), lower(during)
ON CONFLICT ON CONSTRAINT ex_occupancy_taken DO NOTHING
RETURNING booking_id, lower(units)
"""  # noqa: S608 - made of constants only


_DROP_LAPSED = text("""
DELETE FROM occupancy o
USING unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS c (starts_at, ends_at),
      unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS b (first, last)
WHERE o.units && int8range(b.first, b.last, '[]') AND o.during && tstzrange(c.starts_at, c.ends_at)
  AND o.lapses_at <= :now
""")


def take(session: TenantSession, premises: Premises, claims: Sequence[Claim]) -> tuple[dict[UUID, int], list[Claim]]:
    """Take time for bookings in this transaction: (unit number per booking that got it, claims that found it taken).

    Waits for transactions that are just taking the same. What only lapsed bookings hold is theirs no more (BOK-2).
    """
    if not claims:
        return {}, []
    got = _place(session, premises, claims, shuffled=False)
    left = _without(claims, got)
    if not left:
        return got, left
    if premises.below:
        free(session, [claim.booking_id for claim in left])
    retry = _drop_lapsed(session, premises, left) > 0
    for attempt in range(_MOST_ATTEMPTS):
        if not left or not (retry or _has_free_unit(session, premises, left)):
            break
        retry = False
        got |= _place(session, premises, left, shuffled=attempt > 0)
        left = _without(left, got)
        if premises.below:
            free(session, [claim.booking_id for claim in left])
    return got, left


def _without(claims: Sequence[Claim], got: Mapping[UUID, int]) -> list[Claim]:
    return [claim for claim in claims if claim.booking_id not in got]


def _place(session: TenantSession, premises: Premises, claims: Sequence[Claim], *, shuffled: bool) -> dict[UUID, int]:
    base, capacity, below = premises.first_unit, premises.capacity, premises.below
    statement = _placing(
        single=len(claims) == 1, only_unit=capacity == 1, with_below=bool(below), shuffled=shuffled and capacity > 1
    )
    units = [[first for first, _ in below], [last for _, last in below]] if below else []
    rows = run(session, statement, [*_claimed(claims), base, capacity, *units])
    taken: dict[UUID, list[int]] = {}
    for booking_id, number in rows:
        taken.setdefault(booking_id, []).append(number - base)
    complete = 1 + len(premises.below)
    return {
        booking_id: next(unit for unit in units if 0 < unit < UNITS_PER_RESOURCE)
        for booking_id, units in taken.items()
        if len(units) == complete
    }


def _claimed(claims: Sequence[Claim]) -> Sequence[Any]:
    values = [(claim.booking_id, claim.during.start, claim.during.end, claim.lapses_at) for claim in claims]
    return values[0] if len(values) == 1 else list(map(list, zip(*values, strict=True)))


def _drop_lapsed(session: TenantSession, premises: Premises, claims: Sequence[Claim]) -> int:
    own = all_units(premises.number, premises.capacity)
    result = session.execute(
        _DROP_LAPSED,
        {
            "starts": [claim.during.start for claim in claims],
            "ends": [claim.during.end for claim in claims],
            "firsts": [own[0], *(first for first, _ in premises.below)],
            "lasts": [own[1], *(last for _, last in premises.below)],
            "now": session.now(),
        },
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


_FREE_UNIT = text("""
SELECT EXISTS (
  SELECT FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS c (starts_at, ends_at)
  CROSS JOIN generate_series(1, CAST(:capacity AS bigint)) n
  WHERE NOT EXISTS (
    SELECT FROM occupancy o
    WHERE o.units && int8range(:base + n, :base + n, '[]') AND o.during && tstzrange(c.starts_at, c.ends_at)))
""")


def _has_free_unit(session: TenantSession, premises: Premises, claims: Sequence[Claim]) -> bool:
    if premises.capacity == 1:
        return False  # found taken by having waited for it
    return bool(
        session.scalar(
            _FREE_UNIT,
            {
                "starts": [claim.during.start for claim in claims],
                "ends": [claim.during.end for claim in claims],
                "capacity": premises.capacity,
                "base": premises.first_unit,
            },
        )
    )


def lock_resource(session: TenantSession, premises: Premises) -> None:
    """Let moves inside one resource come one after the other: two that swap places would wait for each other."""
    lock = text("SELECT pg_advisory_xact_lock(720700, CAST(:number % 2147483647 AS int))")
    session.execute(lock, {"number": premises.number})


def free(session: TenantSession, booking_ids: Iterable[UUID]) -> None:
    """Give up the time of bookings."""
    session.execute(delete(Occupancy).where(Occupancy.booking_id.in_(list(booking_ids))))


def keep_until(session: TenantSession, lapses: Mapping[UUID, datetime | None]) -> set[UUID]:
    """Change when bookings' time lapses; returns the bookings that still had any.

    Somebody may have taken it when it had lapsed: then the booking is not among them.
    """
    found: set[UUID] = set()
    for booking_id, lapses_at in lapses.items():
        statement = update(Occupancy).where(Occupancy.booking_id == booking_id).values(lapses_at=lapses_at)
        found.update(session.scalars(statement.returning(Occupancy.booking_id)))
    return found
