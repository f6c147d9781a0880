"""PAY-8 and PAY-9: reminders, blocking, and cards that expire."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from payments.domain.dunning import (
    DunningPolicy,
    due_reminder,
    earliest_unpaid,
    is_blocked,
    next_dunning_date,
    reminder_dates,
)
from payments.domain.expiry import announcement_dates, due_announcement, last_valid_day

DUE = date(2027, 3, 8)
POLICY = DunningPolicy()


def day(offset: int) -> date:
    return DUE + timedelta(days=offset)


def test_the_default_ladder_pay8() -> None:
    assert reminder_dates(DUE, POLICY) == [day(-3), day(0), day(3), day(7), day(14)]


@pytest.mark.parametrize(
    ("today", "sent", "step"),
    [
        (-4, [], None),
        (-3, [], -3),
        (-3, [-3], None),
        (-1, [-3], None),
        (0, [-3], 0),
        (6, [-3, 0, 3], None),
        (30, [-3, 0], 14),  # back after a pause: one letter, the latest
        (30, [14], None),
        (5, [7], None),  # the due date was moved: nothing milder after something sterner
    ],
)
def test_one_reminder_per_step_and_the_latest_after_a_pause_pay8(today: int, sent: list[int], step: int | None) -> None:
    assert due_reminder(DUE, day(today), sent, POLICY) == step
    assert due_reminder(DUE, day(today), sent, POLICY, opted_out=True) is None


@pytest.mark.parametrize(("today", "following"), [(-9, -3), (-3, 0), (0, 3), (7, 14), (14, None)])
def test_the_scheduler_is_told_the_next_date(today: int, following: int | None) -> None:
    expected = None if following is None else day(following)
    assert next_dunning_date(DUE, day(today), POLICY) == expected


def test_bookings_are_blocked_from_day_14_and_free_at_once_when_paid_pay8() -> None:
    unpaid = [day(5), DUE]
    assert not is_blocked(earliest_unpaid(unpaid), day(13), POLICY)
    assert is_blocked(earliest_unpaid(unpaid), day(14), POLICY)
    unpaid.remove(DUE)
    assert not is_blocked(earliest_unpaid(unpaid), day(14), POLICY)
    assert not is_blocked(earliest_unpaid([]), day(99), POLICY)


def test_blocking_can_be_off_and_never_falls_on_the_due_date_itself() -> None:
    assert not is_blocked(DUE, day(999), DunningPolicy(block_after_days=None))
    assert not is_blocked(DUE, DUE, DunningPolicy(block_after_days=0))
    assert is_blocked(DUE, day(1), DunningPolicy(block_after_days=0))


@pytest.mark.parametrize("days", [(3, 0), (0, 0)])
def test_a_ladder_that_does_not_rise_is_refused(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        DunningPolicy(reminder_days=days)


def test_a_card_is_good_to_the_end_of_its_month_pay9() -> None:
    assert last_valid_day(2028, 2) == date(2028, 2, 29)
    assert announcement_dates(2027, 5) == [date(2027, 5, 1), date(2027, 5, 24)]


@pytest.mark.parametrize(
    ("today", "announced", "expected"),
    [
        (date(2027, 4, 30), [], None),
        (date(2027, 5, 1), [], 30),
        (date(2027, 5, 2), [30], None),
        (date(2027, 5, 24), [30], 7),
        (date(2027, 5, 25), [], 7),  # late: only the second
        (date(2027, 5, 25), [7], None),
        (date(2027, 5, 31), [30], 7),
        (date(2027, 6, 1), [30], None),
    ],
)
def test_expiry_is_announced_twice_when_a_charge_is_to_come_pay9(
    today: date, announced: list[int], expected: int | None
) -> None:
    assert due_announcement(2027, 5, today, announced, charge_to_come=True) == expected
    assert due_announcement(2027, 5, today, announced, charge_to_come=False) is None
