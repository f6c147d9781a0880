"""Credits and day passes: CRD-1 to CRD-3 and PAS-1."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.domain.credit_ledger import Balance, Entry, EntryKind, after, balance, balances, expiry
from booking.domain.credits import (
    CreditScope,
    CreditTarget,
    CreditTerms,
    Draw,
    Grant,
    available_hours,
    draw,
    grant_for_month,
    settle_cancellation,
    spendable,
)
from booking.domain.passes import Admission, Pass, PassUse, Visit, admit, places_left
from common.errors import ConflictError, InvalidError

ROOM, DOCK, QUAY = UUID(int=100), UUID(int=200), UUID(int=201)
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
TARGET = CreditTarget(ROOM, "meeting_room", DOCK, date(2027, 2, 15))


def grant(
    number: int,
    hours: str = "1",
    expires: date | None = MARCH,
    *,
    company: bool = False,
    scope: CreditScope | None = None,
) -> Grant:
    return Grant(UUID(int=number), Decimal(hours), FEBRUARY, expires, company, scope or CreditScope())


def test_crd_2_soonest_expiry_then_narrowest_scope_then_personal() -> None:
    rooms, this_room = CreditScope(resource_types=frozenset({"meeting_room"})), CreditScope(frozenset({ROOM}))
    grants = [
        grant(1, expires=None, scope=this_room),
        grant(2, company=True),
        grant(3),
        grant(4, company=True, scope=rooms),
        grant(5, scope=rooms),
        grant(6, scope=this_room, company=True),
        grant(7, expires=date(2027, 2, 20), company=True),
    ]
    assert [g.id.int for g in spendable(grants, TARGET)] == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "unfit",
    [
        grant(1, "0"),
        grant(1, expires=date(2027, 2, 15)),
        grant(1, scope=CreditScope(location_ids=frozenset({QUAY}))),
        grant(1, scope=CreditScope(resource_types=frozenset({"desk"}))),
        Grant(UUID(int=1), Decimal(9), MARCH, None),
    ],
)
def test_crd_1_a_credit_belongs_to_its_month_and_scope(unfit: Grant) -> None:
    assert spendable([unfit], TARGET) == []
    assert available_hours([unfit], TARGET) == 0


def test_crd_2_draws_run_from_one_grant_into_the_next() -> None:
    assert draw([grant(1, "2"), grant(2, "5")], TARGET, Decimal("3.5")) == [
        Draw(UUID(int=1), Decimal(2)),
        Draw(UUID(int=2), Decimal("1.5")),
    ]


def test_crd_3_more_than_there_is_cannot_be_drawn() -> None:
    with pytest.raises(ConflictError) as caught:
        draw([grant(1, "2")], TARGET, Decimal("2.25"))
    assert caught.value.code == "credits_insufficient"


HOURS = st.decimals("0.01", "40", places=2)


@given(drawn=st.lists(HOURS, max_size=4), share=st.integers(0, 100))
def test_crd_3_released_and_forfeited_are_what_was_drawn_from_each_grant(drawn: list[Decimal], share: int) -> None:
    draws = [Draw(UUID(int=number), hours) for number, hours in enumerate(drawn)]
    forfeited = sum(drawn, Decimal(0)) * share / 100
    ended = settle_cancellation(draws, forfeited)
    assert sum((d.hours for d in ended.forfeited), Decimal(0)) == forfeited
    for taken in draws:
        assert sum(d.hours for d in (*ended.released, *ended.forfeited) if d.grant_id == taken.grant_id) == taken.hours
    assert all(d.hours > 0 for d in (*ended.released, *ended.forfeited))


def test_crd_3_in_time_cancellation_gives_everything_back() -> None:
    draws = [Draw(UUID(int=1), Decimal(2)), Draw(UUID(int=2), Decimal(1))]
    assert settle_cancellation(draws, Decimal(0)).released == tuple(draws)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(EntryKind), HOURS), max_size=40))
def test_crd_1_no_balance_is_ever_below_zero(tries: list[tuple[int, EntryKind, Decimal]]) -> None:
    ledger: list[Entry] = []
    for number, kind, hours in tries:
        entry = Entry(UUID(int=number), kind, hours)
        try:
            after(balances(ledger).get(entry.grant_id, Balance()), entry)
        except ConflictError:
            continue
        ledger.append(entry)
    for current in balances(ledger).values():
        assert min(current.available, current.reserved, current.consumed, current.expired) >= 0
        assert current.granted == current.available + current.reserved + current.consumed + current.expired
    total = sum((b.available for b in balances(ledger).values()), Decimal(0))
    assert balance(ledger).available == total


def test_crd_1_expiry_leaves_what_bookings_reserved() -> None:
    one = UUID(int=1)
    ledger = [Entry(one, EntryKind.GRANT, Decimal(10)), Entry(one, EntryKind.RESERVE, Decimal(4))]
    ended = expiry(one, balance(ledger))
    assert ended == Entry(one, EntryKind.EXPIRE, Decimal(6))
    assert balance([*ledger, ended]) == Balance(Decimal(10), Decimal(4), Decimal(0), Decimal(6))
    assert expiry(one, balance([*ledger, ended])) is None


@pytest.mark.parametrize("hours", ["0", "-1", "NaN"])
def test_crd_1_an_entry_moves_more_than_nothing(hours: str) -> None:
    with pytest.raises(InvalidError):
        after(Balance(Decimal(9)), Entry(UUID(int=1), EntryKind.RESERVE, Decimal(hours)))


@pytest.mark.parametrize(
    ("left", "cap", "carried"), [("5", "0", "0"), ("5", "3", "3"), ("2", "3", "2"), ("0", "3", "0")]
)
def test_crd_1_carry_over_only_up_to_the_cap(left: str, cap: str, carried: str) -> None:
    terms = CreditTerms(Decimal(10), date(2027, 1, 12), carry_over_cap=Decimal(cap))
    made = grant_for_month(terms, FEBRUARY, Decimal(left))
    assert made is not None
    assert (made.hours, made.carried) == (10 + Decimal(carried), Decimal(carried))
    assert (made.valid_from, made.expires_on) == (FEBRUARY, MARCH)


@pytest.mark.parametrize(
    ("terms", "granted"),
    [
        (CreditTerms(Decimal(10), date(2027, 2, 28)), True),
        (CreditTerms(Decimal(10), date(2027, 3, 1)), False),
        (CreditTerms(Decimal(10), date(2027, 1, 1), end_date=date(2027, 1, 31)), False),
        (CreditTerms(Decimal(10), date(2027, 1, 1), end_date=date(2027, 2, 1)), True),
        (CreditTerms(Decimal(10), date(2027, 1, 1), pauses=((date(2027, 1, 20), None),)), False),
        (CreditTerms(Decimal(10), date(2027, 1, 1), pauses=((date(2027, 1, 20), date(2027, 2, 1)),)), True),
        (CreditTerms(Decimal(0), date(2027, 1, 1)), False),
    ],
)
def test_crd_1_monthly_grants_follow_the_membership(terms: CreditTerms, granted: bool) -> None:
    assert (grant_for_month(terms, date(2027, 2, 14)) is not None) is granted


MEMBER, OTHER = UUID(int=1), UUID(int=2)
BERLIN = "Europe/Berlin"
LATE = datetime(2027, 2, 15, 22, 30, tzinfo=UTC)  # 23:30 in Berlin


def day_pass(number: int, *, shared: bool = False, expires: date | None = None, remaining: int = 1) -> Pass:
    return Pass(UUID(int=number), remaining, FEBRUARY, expires, shared)


def test_pas_1_personal_before_shared_then_soonest_to_expire() -> None:
    passes = [day_pass(1, shared=True, expires=date(2027, 2, 16)), day_pass(2), day_pass(3, expires=MARCH)]
    assert admit(passes, [], MEMBER, DOCK, LATE, BERLIN) == Admission(UUID(int=3), is_new=True)


def test_pas_1_several_visits_of_a_local_day_use_one_pass() -> None:
    used = [PassUse(UUID(int=9), MEMBER, DOCK, date(2027, 2, 15))]
    passes = [day_pass(1, remaining=5)]
    assert admit(passes, used, MEMBER, DOCK, LATE, BERLIN) == Admission(UUID(int=9), is_new=False)
    after_midnight = LATE + timedelta(minutes=30)
    assert admit(passes, used, MEMBER, DOCK, after_midnight, BERLIN).is_new
    assert admit(passes, used, OTHER, DOCK, LATE, BERLIN).is_new


@pytest.mark.parametrize(
    "unusable",
    [
        day_pass(1, remaining=0),
        day_pass(1, expires=date(2027, 2, 15)),
        Pass(UUID(int=1), 1, MARCH),
        Pass(UUID(int=1), 1, FEBRUARY, location_ids=frozenset({QUAY})),
    ],
)
def test_pas_1_without_a_usable_pass_nobody_gets_in(unusable: Pass) -> None:
    with pytest.raises(ConflictError) as caught:
        admit([unusable], [], MEMBER, DOCK, LATE, BERLIN)
    assert caught.value.code == "no_pass"


def test_pas_1_a_forgotten_check_out_closes_at_local_midnight() -> None:
    visit, midnight = Visit(LATE), datetime(2027, 2, 15, 23, tzinfo=UTC)
    assert visit.ended_at(midnight - timedelta(microseconds=1), BERLIN) is None
    assert visit.ended_at(midnight, BERLIN) == midnight
    assert visit.check_out(midnight + timedelta(hours=8), BERLIN).checked_out_at == midnight
    left = visit.check_out(LATE + timedelta(minutes=5), BERLIN)
    assert left.ended_at(midnight, BERLIN) == LATE + timedelta(minutes=5)
    with pytest.raises(ConflictError):
        left.check_out(midnight, BERLIN)
    with pytest.raises(InvalidError):
        visit.check_out(LATE - timedelta(minutes=1), BERLIN)


def test_pas_1_portal_and_storefront_draw_on_one_capacity() -> None:
    assert places_left(10, [4, 5]) == 1
    assert places_left(10, [4, 7]) == 0
