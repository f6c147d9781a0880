"""Day passes and check-ins (PAS-1): one pass per person and local day, however often they come and go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from common.clock import end_of_day, local_date
from common.errors import ConflictError, InvalidError


@dataclass(frozen=True, slots=True)
class Pass:
    """Days that may be used in ``[valid_from, expires_on)``, by a member or by anybody of a company (shared)."""

    id: UUID
    remaining: int
    valid_from: date
    expires_on: date | None = None
    is_shared: bool = False
    location_ids: frozenset[UUID] = frozenset()

    def is_usable(self, day: date, location_id: UUID) -> bool:
        """Whether a day can be taken from it."""
        if self.remaining <= 0 or (self.location_ids and location_id not in self.location_ids):
            return False
        return self.valid_from <= day < (self.expires_on or date.max)


@dataclass(frozen=True, slots=True)
class PassUse:
    """A day that a member has already taken from a pass at a location."""

    pass_id: UUID
    member_id: UUID
    location_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class Admission:
    """The pass that lets a visitor in; ``is_new`` when it is the day's first check-in and a day is taken."""

    pass_id: UUID
    is_new: bool


def admit(
    passes: Iterable[Pass], used: Iterable[PassUse], member_id: UUID, location_id: UUID, at: datetime, zone: str
) -> Admission:
    """The pass for a check-in; raises ConflictError ``no_pass``.

    Personal before shared, then the soonest to expire; equals by id, so the older first.
    """
    day = local_date(at, zone)
    for use in used:
        if (use.member_id, use.location_id, use.day) == (member_id, location_id, day):
            return Admission(use.pass_id, is_new=False)
    usable = [candidate for candidate in passes if candidate.is_usable(day, location_id)]
    if not usable:
        raise ConflictError("no_pass", "There is no day pass left for today.")
    chosen = min(usable, key=lambda p: (p.is_shared, p.expires_on or date.max, p.id))
    return Admission(chosen.id, is_new=True)


@dataclass(frozen=True, slots=True)
class Visit:
    """A check-in and, when it happened, its check-out."""

    checked_in_at: datetime
    checked_out_at: datetime | None = None

    def closes_at(self, zone: str) -> datetime:
        """The local midnight at which a forgotten check-out is made up for."""
        return end_of_day(local_date(self.checked_in_at, zone), zone)

    def ended_at(self, now: datetime, zone: str) -> datetime | None:
        """When the visit ended; None while it lasts. A forgotten one has ended at midnight, job or no job."""
        if self.checked_out_at is not None:
            return self.checked_out_at
        midnight = self.closes_at(zone)
        return midnight if now >= midnight else None

    def check_out(self, at: datetime, zone: str) -> Visit:
        """The visit with its check-out, at midnight at the latest.

        Raises InvalidError ``check_out_before_check_in`` and ConflictError ``checked_out_already``.
        """
        if at < self.checked_in_at:
            raise InvalidError("check_out_before_check_in", "The check-out is before the check-in.")
        if self.checked_out_at is not None:
            raise ConflictError("checked_out_already", "This visit has ended already.")
        return Visit(self.checked_in_at, min(at, self.closes_at(zone)))


def places_left(capacity: int, taken: Iterable[int]) -> int:
    """Places left in an area on a date: portal bookings, storefront sales and holds all draw on the one capacity."""
    return max(0, capacity - sum(taken))
