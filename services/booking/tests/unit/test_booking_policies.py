"""Policies, statuses and cancellation: BOK-2, BOK-3, BOK-5."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from booking.domain.cancellation import CancellationPolicy, cancellation_cost, no_show_cost
from booking.domain.intervals import Interval
from booking.domain.opening_hours import WEEKDAYS, LocationCalendar
from booking.domain.policies import Attempt, BookingPolicy, Usage, Who, needs_approval, require_allowed, violations
from booking.domain.rates import Buyer
from booking.domain.statuses import HOLD_TIME, Lifecycle, Status
from common.errors import ConflictError, InvalidError
from common.money import Money

NOW = datetime(2027, 2, 15, 8, tzinfo=UTC)  # a Monday, 09:00 in Berlin
CALENDAR = LocationCalendar.from_document(
    "Europe/Berlin",
    {day: [["08:00", "18:00"]] for day in WEEKDAYS[:5]},
    [{"date": "2027-02-17", "reason": "Stocktaking"}],
)
PLAN = UUID(int=5)

DAY_AND_NIGHT = {day: [["00:00", "24:00"]] for day in WEEKDAYS}


def attempt(hours_ahead: float = 1, hours: float = 1, **fields: Any) -> Attempt:
    start = NOW + timedelta(hours=hours_ahead)
    return Attempt(Interval(start, start + timedelta(hours=hours)), NOW, CALENDAR, **fields)


def codes(document: dict[str, Any], tried: Attempt, **visibility: Any) -> list[str]:
    return [v.code for v in violations(BookingPolicy.from_document(document, **visibility), tried)]


@pytest.mark.parametrize(
    ("document", "tried", "expected"),
    [
        ({}, attempt(), []),
        ({}, attempt(-0.5), ["in_the_past"]),
        ({}, attempt(0), []),
        ({"min_notice_minutes": 60}, attempt(1), []),
        ({"min_notice_minutes": 61}, attempt(1), ["too_short_notice"]),
        ({"furthest_days_ahead": 1}, attempt(24 + 8), []),
        ({"furthest_days_ahead": 0}, attempt(24), ["too_far_ahead"]),
        ({"min_minutes": 60, "max_minutes": 60}, attempt(hours=1), []),
        ({"min_minutes": 61}, attempt(hours=1), ["too_short"]),
        ({"max_minutes": 59}, attempt(hours=1), ["too_long"]),
        ({}, attempt(8, hours=1), []),
        ({}, attempt(8.25, hours=1), ["outside_opening_hours"]),
        ({"opening_hours": DAY_AND_NIGHT}, attempt(8.25, hours=1), []),
        ({"opening_hours": DAY_AND_NIGHT}, attempt(48), ["closed"]),
        ({"recurring_allowed": False}, attempt(is_recurring=True), ["recurring_not_allowed"]),
        ({}, attempt(is_blocked=True), ["bookings_blocked"]),
    ],
)
def test_bok_3_policy(document: dict[str, Any], tried: Attempt, expected: list[str]) -> None:
    assert codes(document, tried) == expected


@pytest.mark.parametrize(
    ("quota", "used", "expected"),
    [
        ({"per": "week", "unit": "hours", "limit": "4"}, Usage(Decimal(3), 9), []),
        ({"per": "week", "unit": "hours", "limit": "4"}, Usage(Decimal("3.5"), 0), ["quota_exceeded"]),
        ({"per": "month", "unit": "bookings", "limit": 2}, Usage(Decimal(50), 1), []),
        ({"per": "month", "unit": "bookings", "limit": 2}, Usage(Decimal(0), 2), ["quota_exceeded"]),
    ],
)
def test_bok_3_quota_per_week_or_month(quota: dict[str, Any], used: Usage, expected: list[str]) -> None:
    field = f"used_in_{quota['per']}"
    assert codes({"quotas": [quota]}, attempt(**{field: used})) == expected


@pytest.mark.parametrize(
    ("visibility", "buyer", "expected"),
    [
        ("public", Buyer(), []),
        ("members", Buyer(), ["members_only"]),
        ("members", Buyer(company_id=UUID(int=1)), []),
        ("plans", Buyer(UUID(int=1)), ["plan_required"]),
        ("plans", Buyer(UUID(int=1), plan_ids=frozenset({PLAN})), []),
    ],
)
def test_bok_3_who_may_book(visibility: str, buyer: Buyer, expected: list[str]) -> None:
    assert codes({}, attempt(buyer=buyer), visibility=visibility, plan_ids=[PLAN]) == expected


def test_bok_3_everything_wrong_is_listed_and_staff_may_override_it() -> None:
    policy = BookingPolicy.from_document({"min_minutes": 90, "approval": True})
    tried = attempt(47)
    with pytest.raises(InvalidError) as caught:
        require_allowed(policy, tried, by_staff=False)
    assert caught.value.code == "too_short"
    assert caught.value.extra == {"violations": ["too_short", "closed"]}
    assert [error.pointer for error in caught.value.errors] == ["/end", "/start"]
    assert [v.detail for v in require_allowed(policy, tried, by_staff=True)] == [
        "A booking lasts at least 1 h 30 min.",
        "The location is closed then (Stocktaking).",
    ]
    assert needs_approval(policy, by_staff=False)
    assert not needs_approval(policy, by_staff=True)


def test_bok_3_buffers_widen_what_is_blocked() -> None:
    policy = BookingPolicy.from_document({"buffer_before_minutes": 10, "buffer_after_minutes": 20})
    asked = attempt().interval
    blocked = policy.blocked_by(asked)
    assert (asked.start - blocked.start, blocked.end - asked.end) == (timedelta(minutes=10), timedelta(minutes=20))


@pytest.mark.parametrize(
    "document", [{"min_minutes": -1}, {"min_minutes": "x"}, {"quotas": [{"per": "year", "unit": "hours", "limit": 1}]}]
)
def test_malformed_policies_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        BookingPolicy.from_document(document)
    assert caught.value.code == "booking_policy_invalid"


SLOT = Interval(NOW + timedelta(hours=2), NOW + timedelta(hours=3))


def test_bok_2_a_hold_expires_at_its_very_end_when_it_is_read() -> None:
    held = Lifecycle(Status.HELD, SLOT, hold_expires_at=NOW + HOLD_TIME)
    last = NOW + HOLD_TIME - timedelta(microseconds=1)
    assert held.at(last) is Status.HELD
    assert held.is_occupying(last)
    assert held.at(NOW + HOLD_TIME) is Status.EXPIRED
    assert not held.is_occupying(NOW + HOLD_TIME)
    assert held.moved_to(Status.CONFIRMED, last) is Status.CONFIRMED
    with pytest.raises(ConflictError) as caught:
        held.moved_to(Status.CONFIRMED, NOW + HOLD_TIME)
    assert caught.value.code == "hold_expired"
    assert held.moved_to(Status.EXPIRED, NOW + HOLD_TIME) is Status.EXPIRED


ALLOWED = {
    ("held", "tentative"),
    ("held", "confirmed"),
    ("held", "cancelled"),
    ("tentative", "confirmed"),
    ("tentative", "rejected"),
    ("tentative", "cancelled"),
    ("confirmed", "tentative"),
    ("confirmed", "checked_in"),
    ("confirmed", "completed"),
    ("confirmed", "cancelled"),
    ("confirmed", "no_show"),
    ("checked_in", "completed"),
    ("held", "expired"),
    ("tentative", "expired"),
}


@pytest.mark.parametrize("old", list(Status))
@pytest.mark.parametrize("new", list(Status))
def test_bok_2_transitions(old: Status, new: Status) -> None:
    booking = Lifecycle(old, SLOT, hold_expires_at=NOW + HOLD_TIME)
    if (old, new) in ALLOWED:
        assert booking.moved_to(new, NOW) is new
    else:
        with pytest.raises(ConflictError) as caught:
            booking.moved_to(new, NOW)
        assert caught.value.code == "status_transition"


@pytest.mark.parametrize(
    ("status", "check_in_minutes", "minutes_after_start", "expected"),
    [
        ("tentative", None, -1, "tentative"),
        ("tentative", None, 0, "expired"),
        ("confirmed", None, 59, "confirmed"),
        ("confirmed", None, 60, "completed"),
        ("confirmed", 15, 14, "confirmed"),
        ("confirmed", 15, 15, "no_show"),
        ("confirmed", 90, 60, "no_show"),
        ("checked_in", 15, 59, "checked_in"),
        ("checked_in", 15, 60, "completed"),
        ("cancelled", 15, 99, "cancelled"),
    ],
)
def test_bok_2_what_time_does(
    status: str, check_in_minutes: int | None, minutes_after_start: int, expected: str
) -> None:
    within = None if check_in_minutes is None else timedelta(minutes=check_in_minutes)
    booking = Lifecycle(Status(status), SLOT, check_in_within=within)
    now = SLOT.start + timedelta(minutes=minutes_after_start)
    assert booking.at(now) == expected
    due = booking.due_at()
    assert (due is not None and due <= now) is (expected != status)


STEPS = {
    "steps": [
        {"hours_before": 48, "percent": "25"},
        {"hours_before": 24, "percent": "50"},
        {"hours_before": 2, "percent": 100},
    ]
}


@pytest.mark.parametrize(
    ("before", "percent"),
    [
        (timedelta(hours=72), 0),
        (timedelta(hours=48), 0),
        (timedelta(hours=48, microseconds=-1), 25),
        (timedelta(hours=24), 25),
        (timedelta(hours=24, microseconds=-1), 50),
        (timedelta(hours=2), 50),
        (timedelta(hours=2, microseconds=-1), 100),
        (timedelta(hours=-1), 100),
    ],
)
def test_bok_5_exactly_n_hours_before_is_in_time(before: timedelta, percent: int) -> None:
    policy = CancellationPolicy.from_document(STEPS)
    cost = cancellation_cost(policy, NOW, NOW - before, Money(1001, "EUR"), Decimal(3))
    assert cost.percent == percent
    assert cost.fee == Money(1001, "EUR").times(Decimal(percent) / 100)
    assert cost.credits_forfeited == Decimal(3) * percent / 100
    assert cost.is_free is (percent == 0)


def test_bok_5_fee_is_rounded_half_up_and_no_show_has_its_own_share() -> None:
    policy = CancellationPolicy.from_document(STEPS | {"no_show_percent": 80})
    assert cancellation_cost(policy, NOW, NOW - timedelta(hours=3), Money(1001, "EUR")).fee == Money(501, "EUR")
    assert no_show_cost(policy, Money(1000, "EUR"), Decimal(1)).credits_forfeited == Decimal("0.8")
    assert policy.free_until(NOW) == NOW - timedelta(hours=48)


def test_bok_5_without_steps_cancelling_is_free() -> None:
    policy = CancellationPolicy.from_document({})
    assert cancellation_cost(policy, NOW, NOW, Money(1000, "EUR"), Decimal(2)).is_free
    assert policy.free_until(NOW) is None


@pytest.mark.parametrize(
    "steps", [[{"hours_before": 1}], [{"hours_before": -1, "percent": 1}], [{"hours_before": 1, "percent": 101}], ["x"]]
)
def test_malformed_cancellation_policies_are_refused(steps: list[Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        CancellationPolicy.from_document({"steps": steps})
    assert caught.value.code == "cancellation_policy_invalid"


def test_a_policy_may_name_its_own_bookers_and_opening_hours() -> None:
    plan_id = UUID(int=9)
    policy = BookingPolicy.from_document(
        {"who": "plans", "plan_ids": [f"pln_{plan_id.hex}"], "opening_hours": {"sun": [["10:00", "12:00"]]}}
    )
    assert (policy.who, policy.plan_ids) == (Who.PLANS, frozenset({plan_id}))
    location = LocationCalendar.from_document("UTC", {"mon": [["08:00", "18:00"]]})
    sunday = Interval(datetime(2027, 2, 14, 10, tzinfo=UTC), datetime(2027, 2, 14, 12, tzinfo=UTC))
    assert policy.calendar_in(location).is_open_throughout(sunday)
    assert not location.is_open_throughout(sunday)


def test_crd_3_what_is_forfeited_has_the_places_of_the_ledger() -> None:
    """What is forfeited and what comes back add up to what was reserved, after storage too."""
    policy = CancellationPolicy.from_document({"steps": [{"hours_before": 24, "percent": "33.3333"}]})
    cost = cancellation_cost(policy, NOW, NOW - timedelta(hours=3), Money(0, "EUR"), Decimal("0.5"))
    assert cost.credits_forfeited == Decimal("0.166667")
