"""The states of a booking and the ways between them (BOK-2). What time alone changes counts when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from booking.domain.intervals import Interval
from common.errors import ConflictError

HOLD_TIME = timedelta(minutes=10)


class Status(StrEnum):
    """Where a booking stands."""

    HELD = "held"
    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    REJECTED = "rejected"
    EXPIRED = "expired"


_NEXT: dict[Status, frozenset[Status]] = {
    Status.HELD: frozenset({Status.TENTATIVE, Status.CONFIRMED, Status.CANCELLED, Status.EXPIRED}),
    Status.TENTATIVE: frozenset({Status.CONFIRMED, Status.REJECTED, Status.CANCELLED, Status.EXPIRED}),
    # A member who moves an approved booking asks again.
    Status.CONFIRMED: frozenset(
        {Status.TENTATIVE, Status.CHECKED_IN, Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW}
    ),
    Status.CHECKED_IN: frozenset({Status.COMPLETED}),
}

# Those that keep others out of the slot; a completed booking did take place, and its time stays taken.
OCCUPYING = frozenset({Status.HELD, Status.TENTATIVE, Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED})


def check_in_minutes_left(minutes: int | None, start: datetime, now: datetime) -> int | None:
    """Within how many minutes of the start somebody has to check in who gets a booking now.

    None when nobody has to, or when that time is over: a walk-in, or who paid a little late, is no no-show.
    """
    return None if minutes is None or start + timedelta(minutes=minutes) <= now else minutes


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What the passing of time does to a booking. ``check_in_within`` is None when nobody has to check in."""

    status: Status
    interval: Interval
    hold_expires_at: datetime | None = None
    check_in_within: timedelta | None = None

    def at(self, now: datetime) -> Status:
        """The status at an instant: a hold is expired from its very end, a request unanswered at the start too."""
        if self.status is Status.HELD and self.hold_expires_at is not None and now >= self.hold_expires_at:
            return Status.EXPIRED
        if self.status is Status.TENTATIVE and now >= self.interval.start:
            return Status.EXPIRED
        if self.status is Status.CONFIRMED and self._is_missed(now):
            return Status.NO_SHOW
        if self.status in {Status.CONFIRMED, Status.CHECKED_IN} and now >= self.interval.end:
            return Status.COMPLETED
        return self.status

    def due_at(self) -> datetime | None:
        """When time changes the status next, for the scheduler; None when it never does."""
        if self.status is Status.HELD:
            return self.hold_expires_at
        if self.status is Status.TENTATIVE:
            return self.interval.start
        if self.status is Status.CONFIRMED and self.check_in_within is not None:
            return min(self.interval.start + self.check_in_within, self.interval.end)
        return self.interval.end if self.status in {Status.CONFIRMED, Status.CHECKED_IN} else None

    def is_occupying(self, now: datetime) -> bool:
        """Whether the slot is taken at an instant (BOK-1, BOK-2)."""
        return self.at(now) in OCCUPYING

    def moved_to(self, new: Status, now: datetime) -> Status:
        """The new status; raises ConflictError ``hold_expired`` or ``status_transition`` when it cannot be reached."""
        current = self.at(now)
        if new in _NEXT.get(current, frozenset()) or (new is current and current is not self.status):
            return new
        if current is Status.EXPIRED and self.status is Status.HELD:
            raise ConflictError("hold_expired", "The hold has run out; please book again.")
        raise ConflictError("status_transition", f"A booking that is {current} cannot become {new}.")

    def _is_missed(self, now: datetime) -> bool:
        if self.check_in_within is None:
            return False
        return now >= min(self.interval.start + self.check_in_within, self.interval.end)
