"""PAY-1 and PAY-2: when invoices are charged, and charged again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.clock import local_date
from common.money import Money
from payments.domain.collection import CollectionFacts, Decision, NextStep, decide, idempotency_key
from payments.domain.schedule import (
    ChargeCalendar,
    Failure,
    attempt_number,
    retry_at,
    validate_retry_days,
)

BERLIN = ChargeCalendar(6, "Europe/Berlin")
OWED, NOTHING = Money(34500, "EUR"), Money(0, "EUR")
DUE = date(2027, 3, 8)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def soft(number: int, when: str) -> Failure:
    return Failure(f"inv:{number}", at(when))


def facts(
    *failures: Failure,
    payable: Money = OWED,
    automatic: bool = True,
    running: bool = False,
    method: str | None = "2027-02-01",
) -> CollectionFacts:
    return CollectionFacts(payable, DUE, automatic, running, failures, at(method) if method else None)


@pytest.mark.parametrize(
    ("calendar", "day", "instant"),
    [
        (BERLIN, date(2027, 3, 8), "2027-03-08T05:00"),  # winter
        (BERLIN, date(2027, 7, 8), "2027-07-08T04:00"),  # summer
        (ChargeCalendar(2, "Europe/Berlin"), date(2027, 3, 28), "2027-03-28T01:00"),  # 02:00 does not exist: 03:00
        (ChargeCalendar(2, "Europe/Berlin"), date(2027, 10, 31), "2027-10-31T00:00"),  # 02:00 comes twice: the first
        (ChargeCalendar(0, "Pacific/Auckland"), date(2027, 3, 8), "2027-03-07T11:00"),  # already the 8th there
    ],
)
def test_charges_are_made_at_the_local_hour_of_the_due_date_pay1(
    calendar: ChargeCalendar, day: date, instant: str
) -> None:
    assert calendar.charge_at(day) == at(instant)


@settings(max_examples=60)
@given(
    day=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC"]),
)
def test_no_charge_is_ever_made_before_the_due_date_pay1(day: date, hour: int, zone: str) -> None:
    assert local_date(ChargeCalendar(hour, zone).charge_at(day), zone) == day


@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_that_no_day_has_is_refused(hour: int) -> None:
    with pytest.raises(ValueError, match="0 to 23"):
        ChargeCalendar(hour, "UTC")


@pytest.mark.parametrize("days", [(0,), (61,), (1,) * 13])
def test_ladders_out_of_reason_are_refused(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="retry days"):
        validate_retry_days(days)


def test_the_ladder_counts_days_from_the_last_failure_pay2() -> None:
    failures = [soft(1, "2027-03-08T05:00")]
    assert retry_at(failures, BERLIN) == at("2027-03-09T05:00")
    failures.append(soft(2, "2027-03-09T05:01"))
    assert retry_at(failures, BERLIN) == at("2027-03-12T05:00")
    failures.append(soft(3, "2027-03-14T09:00"))  # tried late: the machine was off
    assert retry_at(failures, BERLIN) == at("2027-03-19T05:00")
    failures.append(soft(4, "2027-03-19T05:00"))
    assert retry_at(failures, BERLIN) == at("2027-03-26T05:00")
    failures.append(soft(5, "2027-03-26T05:00"))
    assert retry_at(failures, BERLIN) is None


def test_the_day_of_a_failure_is_the_local_one() -> None:
    assert retry_at([soft(1, "2027-03-08T23:30")], BERLIN) == at("2027-03-10T05:00")


def test_a_retry_across_the_clock_change_keeps_the_local_hour() -> None:
    assert retry_at([soft(1, "2027-03-27T05:00")], BERLIN) == at("2027-03-28T04:00")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 100)), min_size=1, max_size=8), st.randoms())
def test_redelivered_and_shuffled_failures_advance_nothing_pay2(reports: list[tuple[int, int]], random: object) -> None:
    """The first report of an attempt and any later ones, in any order, are one failure."""
    begin = at("2027-03-08T05:00")
    failures = [Failure(f"inv:{number}", begin + timedelta(hours=hours)) for number, hours in reports]
    again = failures + failures[::-1]
    random.shuffle(again)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert attempt_number(again) == len({number for number, _ in reports}) + 1
    assert retry_at(again, BERLIN) == retry_at(failures, BERLIN)


def test_a_hard_decline_ends_the_ladder_pay2() -> None:
    hard = Failure("inv:1", at("2027-03-08T05:00"), hard=True)
    assert retry_at([hard], BERLIN) is None
    assert retry_at([hard, Failure("inv:1", hard.failed_at)], BERLIN) is None


@pytest.mark.parametrize(
    ("known", "decision"),
    [
        (facts(), Decision(NextStep.CHARGE, at("2027-03-08T05:00"), 1)),
        (facts(payable=NOTHING), Decision(NextStep.NOTHING)),
        (facts(automatic=False), Decision(NextStep.NOTHING)),
        (facts(running=True), Decision(NextStep.WAIT)),
        (facts(running=True, automatic=False), Decision(NextStep.WAIT)),
        (facts(method=None), Decision(NextStep.ASK_FOR_METHOD)),
        (facts(soft(1, "2027-03-08T05:00")), Decision(NextStep.CHARGE, at("2027-03-09T05:00"), 2)),
        (facts(*[soft(n, f"2027-03-{8 + n:02}T05:00") for n in range(1, 6)]), Decision(NextStep.GIVE_UP)),
        (facts(Failure("inv:1", at("2027-03-08T05:00"), hard=True)), Decision(NextStep.ASK_FOR_METHOD)),
        # A new method is tried at once, after a hard decline and after a used-up ladder alike.
        (
            facts(Failure("inv:1", at("2027-03-08T05:00"), hard=True), method="2027-03-09T14:30"),
            Decision(NextStep.CHARGE, at("2027-03-09T14:30"), 2),
        ),
        (
            facts(*[soft(n, f"2027-03-{8 + n:02}T05:00") for n in range(1, 6)], method="2027-03-20T10:00"),
            Decision(NextStep.CHARGE, at("2027-03-20T10:00"), 6),
        ),
        # A failed Pay Now before the due date, then a new method: still not before the due date.
        (
            facts(Failure("inv:1", at("2027-03-02T05:00"), hard=True), method="2027-03-03T10:00"),
            Decision(NextStep.CHARGE, at("2027-03-08T05:00"), 2),
        ),
    ],
)
def test_the_next_step_follows_from_the_facts(known: CollectionFacts, decision: Decision) -> None:
    assert decide(known, BERLIN) == decision


def test_a_failed_pay_now_long_before_the_due_date_is_not_retried_before_it_pay1() -> None:
    decision = decide(facts(soft(1, "2027-03-01T09:00")), BERLIN)
    assert decision == Decision(NextStep.CHARGE, at("2027-03-08T05:00"), 2)


def test_keys_are_made_of_invoice_and_attempt_pay1() -> None:
    assert idempotency_key("inv_1", 2) == "inv_1:2"
