"""Booking policies (BOK-3): what they allow, as a list of violations. Overlap and capacity are the database's business.

Staff may override everything here; what they override is still listed, so that it can be shown and logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from booking.domain.intervals import Interval
from booking.domain.opening_hours import LocationCalendar, OpeningHours
from booking.domain.price_wording import plain, span
from booking.domain.rates import Buyer
from common.clock import local_date
from common.errors import FieldError, InvalidError


class Who(StrEnum):
    """Who may book a resource."""

    PUBLIC = "public"
    MEMBERS = "members"
    PLANS = "plans"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``limit`` hours or bookings per local ``week`` (from Monday) or ``month``."""

    per: str
    unit: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """What a buyer has booked already in the week or month of the meeting."""

    hours: Decimal = Decimal(0)
    bookings: int = 0


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """The rules of a resource; None means no limit. ``who`` and ``plan_ids`` come from the resource's visibility unless
    the policy says it itself; ``opening_hours`` are the resource's own, else the location's hold."""

    who: Who = Who.PUBLIC
    plan_ids: frozenset[UUID] = frozenset()
    min_minutes: int | None = None
    max_minutes: int | None = None
    min_notice_minutes: int = 0
    furthest_days_ahead: int | None = None
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    approval: bool = False
    check_in_minutes: int | None = None
    recurring_allowed: bool = True
    show_names: bool = False
    quotas: tuple[Quota, ...] = ()
    opening_hours: OpeningHours | None = None

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], *, visibility: str = "public", plan_ids: Sequence[UUID] = ()
    ) -> Self:
        """Read a resource's ``booking_policy`` (keys as the fields here) and visibility.

        Unknown keys are ignored. Raises InvalidError ``booking_policy_invalid``.
        """
        try:
            return cls(
                who=Who(document.get("who") or visibility),
                plan_ids=frozenset(_id(value) for value in document.get("plan_ids") or plan_ids),
                min_minutes=_count(document.get("min_minutes")),
                max_minutes=_count(document.get("max_minutes")),
                min_notice_minutes=_count(document.get("min_notice_minutes")) or 0,
                furthest_days_ahead=_count(document.get("furthest_days_ahead")),
                buffer_before_minutes=_count(document.get("buffer_before_minutes")) or 0,
                buffer_after_minutes=_count(document.get("buffer_after_minutes")) or 0,
                approval=bool(document.get("approval", False)),
                check_in_minutes=_count(document.get("check_in_minutes")),
                recurring_allowed=bool(document.get("recurring_allowed", True)),
                show_names=bool(document.get("show_names", False)),
                quotas=tuple(_quota(quota) for quota in document.get("quotas") or ()),
                opening_hours=OpeningHours.from_document(hours) if (hours := document.get("opening_hours")) else None,
            )
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise InvalidError("booking_policy_invalid", "The booking policy cannot be read.") from error

    def calendar_in(self, location: LocationCalendar) -> LocationCalendar:
        """When the resource is open: its own hours or the location's, with the location's closures in any case."""
        return location if self.opening_hours is None else replace(location, hours=self.opening_hours)

    def blocked_by(self, interval: Interval) -> Interval:
        """A booking's interval with its buffers: what the exclusion constraint guards."""
        return interval.widened(
            timedelta(minutes=self.buffer_before_minutes), timedelta(minutes=self.buffer_after_minutes)
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """A booking that somebody wants to make, and what is known about them.

    ``used_in_week`` and ``used_in_month`` hold what else is booked in the local week and month of the start.
    ``is_blocked`` is true for inactive members and those who owe too long (PAY-8).
    """

    interval: Interval
    now: datetime
    calendar: LocationCalendar
    buyer: Buyer = field(default_factory=Buyer)
    is_recurring: bool = False
    is_blocked: bool = False
    used_in_week: Usage = field(default_factory=Usage)
    used_in_month: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a booking breaks: a stable code, a sentence, and the field of the request that it is about."""

    code: str
    detail: str
    pointer: str = "/start"


def violations(policy: BookingPolicy, attempt: Attempt) -> list[Violation]:
    """Every rule of the policy that the booking breaks, in the order in which people should hear of them."""
    return [found for check in _CHECKS if (found := check(policy, attempt)) is not None]


def require_allowed(policy: BookingPolicy, attempt: Attempt, *, by_staff: bool) -> list[Violation]:
    """The violations that staff override; raises InvalidError (code of the first one) for everybody else."""
    found = violations(policy, attempt)
    if found and not by_staff:
        errors = [FieldError(violation.pointer, violation.detail) for violation in found]
        codes = [violation.code for violation in found]
        raise InvalidError(found[0].code, found[0].detail, errors=errors, extra={"violations": codes})
    return found


def needs_approval(policy: BookingPolicy, *, by_staff: bool) -> bool:
    """Whether the booking starts as tentative, holding its slot until staff decide."""
    return policy.approval and not by_staff


def _who(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    buyer = attempt.buyer
    if policy.who is Who.MEMBERS and buyer.is_public:
        return Violation("members_only", "Only members may book this.", "/resource_id")
    if policy.who is Who.PLANS and not policy.plan_ids & buyer.plan_ids:
        return Violation("plan_required", "Your plan does not include this.", "/resource_id")
    return None


def _blocked(_policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if not attempt.is_blocked:
        return None
    return Violation("bookings_blocked", "Bookings are blocked for this customer.", "/member_id")


def _past(_policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if attempt.interval.start >= attempt.now:
        return None
    return Violation("in_the_past", "The booking would start in the past.")


def _notice(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if attempt.interval.start - attempt.now >= timedelta(minutes=policy.min_notice_minutes):
        return None
    if attempt.interval.start < attempt.now:
        return None  # said already
    return Violation("too_short_notice", f"Please book at least {span(policy.min_notice_minutes)} ahead.")


def _ahead(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if policy.furthest_days_ahead is None:
        return None
    zone = attempt.calendar.zone
    days = (local_date(attempt.interval.start, zone) - local_date(attempt.now, zone)).days
    if days <= policy.furthest_days_ahead:
        return None
    return Violation("too_far_ahead", f"This can be booked at most {policy.furthest_days_ahead} days ahead.")


def _length(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    length = attempt.interval.duration
    if policy.min_minutes is not None and length < timedelta(minutes=policy.min_minutes):
        return Violation("too_short", f"A booking lasts at least {span(policy.min_minutes)}.", "/end")
    if policy.max_minutes is not None and length > timedelta(minutes=policy.max_minutes):
        return Violation("too_long", f"A booking lasts at most {span(policy.max_minutes)}.", "/end")
    return None


def _open(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if closure := attempt.calendar.is_closed_by_closure(attempt.interval):
        reason = f" ({closure.reason})" if closure.reason else ""
        return Violation("closed", f"The location is closed then{reason}.")
    if policy.calendar_in(attempt.calendar).is_open_throughout(attempt.interval):
        return None
    return Violation("outside_opening_hours", "The location is not open for all of this time.")


def _recurring(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    if policy.recurring_allowed or not attempt.is_recurring:
        return None
    return Violation("recurring_not_allowed", "This cannot be booked as a series.", "/recurrence")


def _within_quotas(policy: BookingPolicy, attempt: Attempt) -> Violation | None:
    hours = Decimal(attempt.interval.duration // timedelta(seconds=1)) / 3600
    for quota in policy.quotas:
        used = attempt.used_in_week if quota.per == "week" else attempt.used_in_month
        wanted = used.hours + hours if quota.unit == "hours" else used.bookings + 1
        if wanted > quota.limit:
            text = f"At most {plain(quota.limit)} {quota.unit} a {quota.per} can be booked."
            return Violation("quota_exceeded", text)
    return None


_CHECKS: tuple[Callable[[BookingPolicy, Attempt], Violation | None], ...] = (
    _who,
    _blocked,
    _past,
    _notice,
    _ahead,
    _length,
    _open,
    _recurring,
    _within_quotas,
)


def _count(value: object) -> int | None:
    if value is None:
        return None
    number = int(str(value))
    if number < 0:
        raise ValueError("negative")
    return number


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value.rpartition("_")[2])


def _quota(document: Mapping[str, Any]) -> Quota:
    quota = Quota(document["per"], document["unit"], Decimal(str(document["limit"])))
    if quota.per not in {"week", "month"} or quota.unit not in {"hours", "bookings"} or not quota.limit >= 0:
        raise ValueError("not a quota")
    return quota
