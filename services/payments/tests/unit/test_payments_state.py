"""PAY-3 and PAY-5: any order of reports ends in one state, and no more is given back than was paid."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import DomainError
from common.money import CurrencyMismatchError, Money
from payments.domain.payment_state import ChargeFact, DisputeFact, PaymentFacts, PaymentState, RefundFact
from payments.domain.refunds import check_refund, refundable

PAID = Money(10000, "EUR")
Report = Callable[[PaymentFacts], PaymentFacts]


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def charge(fact: ChargeFact) -> Report:
    return lambda facts: facts.with_charge(fact)


def refund(reference: str, minor: int, fact: RefundFact = RefundFact.SUCCEEDED) -> Report:
    return lambda facts: facts.with_refund(reference, eur(minor), fact)


def dispute(fact: DisputeFact, reference: str = "dp_1") -> Report:
    return lambda facts: facts.with_dispute(reference, fact)


def told(*reports: Report) -> PaymentFacts:
    return reduce(lambda facts, report: report(facts), reports, PaymentFacts(PAID))


SUCCEEDED, PENDING, FAILED = charge(ChargeFact.SUCCEEDED), charge(ChargeFact.PENDING), charge(ChargeFact.FAILED)
ACTION, REVERSED = charge(ChargeFact.ACTION_REQUIRED), charge(ChargeFact.REVERSED)


@pytest.mark.parametrize(
    ("reports", "state", "kept"),
    [
        ([], PaymentState.PENDING, 0),
        ([ACTION], PaymentState.ACTION_REQUIRED, 0),
        ([ACTION, PENDING], PaymentState.PENDING, 0),
        ([ACTION, FAILED], PaymentState.FAILED, 0),
        ([ACTION, SUCCEEDED], PaymentState.SUCCEEDED, 10000),
        ([PENDING, SUCCEEDED], PaymentState.SUCCEEDED, 10000),
        ([PENDING, FAILED], PaymentState.FAILED, 0),
        ([FAILED, SUCCEEDED], PaymentState.SUCCEEDED, 10000),  # the member tried the same intent again
        ([PENDING, SUCCEEDED, REVERSED], PaymentState.FAILED, 0),  # a debit returned late
        ([SUCCEEDED, refund("re_1", 4000)], PaymentState.PARTIALLY_REFUNDED, 6000),
        ([SUCCEEDED, refund("re_1", 4000), refund("re_2", 6000)], PaymentState.REFUNDED, 0),
        ([SUCCEEDED, refund("re_1", 4000), refund("re_1", 4000, RefundFact.FAILED)], PaymentState.SUCCEEDED, 10000),
        ([SUCCEEDED, refund("re_1", 4000, RefundFact.PENDING)], PaymentState.PARTIALLY_REFUNDED, 6000),
        ([SUCCEEDED, dispute(DisputeFact.OPENED)], PaymentState.DISPUTED, 0),
        ([SUCCEEDED, dispute(DisputeFact.OPENED), dispute(DisputeFact.WON)], PaymentState.SUCCEEDED, 10000),
        ([SUCCEEDED, dispute(DisputeFact.OPENED), dispute(DisputeFact.LOST)], PaymentState.DISPUTED, 0),
        ([SUCCEEDED, dispute(DisputeFact.WON), dispute(DisputeFact.OPENED, "dp_2")], PaymentState.DISPUTED, 0),
        ([SUCCEEDED, refund("re_1", 4000), dispute(DisputeFact.WON)], PaymentState.PARTIALLY_REFUNDED, 6000),
    ],
)
def test_every_order_and_repetition_ends_in_the_same_state_pay3(
    reports: list[Report], state: PaymentState, kept: int
) -> None:
    for order in permutations(reports):
        facts = told(*order, *order)
        assert (facts.state, facts.kept) == (state, eur(kept))


any_report = st.one_of(
    st.sampled_from(ChargeFact).map(charge),
    st.sampled_from(DisputeFact).map(dispute),
    st.builds(refund, st.sampled_from(["re_1", "re_2", "re_3"]), st.integers(1, 9000), st.sampled_from(RefundFact)),
)


@settings(max_examples=100)
@given(st.lists(any_report, max_size=8), st.data())
def test_shuffled_and_tripled_reports_converge_and_nothing_is_negative_pay3(
    reports: list[Report], data: st.DataObject
) -> None:
    facts = told(*reports)
    assert told(*data.draw(st.permutations(reports * 3))) == facts
    assert eur(0) <= facts.kept <= PAID
    assert eur(0) <= facts.refunded <= PAID


@settings(max_examples=60)
@given(st.lists(any_report, max_size=5), st.lists(any_report, max_size=5))
def test_merging_what_two_processes_know_is_knowing_it_all(one: list[Report], other: list[Report]) -> None:
    assert told(*one).merge(told(*other)) == told(*one, *other) == told(*other).merge(told(*one))


@settings(max_examples=60)
@given(st.lists(st.integers(1, 12000), max_size=8))
def test_refunds_that_are_allowed_never_exceed_the_payment_pay5(amounts: list[int]) -> None:
    facts = told(SUCCEEDED)
    given_back = 0
    for number, minor in enumerate(amounts):
        if given_back + minor > 10000:
            with pytest.raises(DomainError, match="at most"):
                check_refund(facts, eur(minor))
            continue
        check_refund(facts, eur(minor))
        facts = facts.with_refund(f"re_{number}", eur(minor), RefundFact.PENDING)
        given_back += minor
    assert given_back <= 10000
    assert refundable(facts) == eur(10000 - given_back)


@pytest.mark.parametrize(
    ("reports", "amount", "code"),
    [
        ([SUCCEEDED], Money(1, "USD"), "currency_mismatch"),
        ([SUCCEEDED], eur(0), "amount_not_positive"),
        ([SUCCEEDED], eur(-1), "amount_not_positive"),
        ([PENDING], eur(1), "payment_not_collected"),
        ([SUCCEEDED, REVERSED], eur(1), "payment_not_collected"),
        ([SUCCEEDED, dispute(DisputeFact.OPENED)], eur(1), "payment_disputed"),
        ([SUCCEEDED, refund("re_1", 9999)], eur(2), "refund_exceeds_payment"),
    ],
)
def test_refunds_that_may_not_be_are_refused_pay5(reports: list[Report], amount: Money, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        check_refund(told(*reports), amount)
    assert refusal.value.code == code


def test_a_refund_in_another_currency_cannot_be_recorded() -> None:
    with pytest.raises(CurrencyMismatchError):
        told(SUCCEEDED).with_refund("re_1", Money(1, "USD"), RefundFact.SUCCEEDED)
