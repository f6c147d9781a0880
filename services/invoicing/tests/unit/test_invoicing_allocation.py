"""PAY-4, DOC-1, DOC-5, BIL-8: balances, allocation and states."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import ConflictError, InvalidError
from common.money import CurrencyMismatchError, Money
from invoicing.domain.allocation import (
    Allocation,
    Balance,
    OpenItem,
    allocate_oldest_first,
    apply_credit,
    apply_payment,
    open_balance,
    reverse_credit,
    reverse_payment,
)
from invoicing.domain.document_states import (
    TRANSITIONS,
    DocumentState,
    check_not_locked,
    check_transition,
    check_voidable,
    due_date,
    is_overdue,
    payment_state,
    state_after,
)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


NONE = eur(0)


def test_an_overpayment_is_over_and_the_invoice_settled_pay_4() -> None:
    applied = apply_payment(open_balance(eur(10000)), eur(12000))
    assert (applied.used, applied.over, applied.balance.settled) == (eur(10000), eur(2000), True)


def test_a_credit_takes_only_what_is_payable_doc_5() -> None:
    applied = apply_credit(Balance(eur(10000), eur(9000), NONE), eur(5000))
    assert (applied.used, applied.over, applied.balance.credited) == (eur(1000), eur(4000), eur(1000))


def test_a_chargeback_makes_the_invoice_payable_again_pay_3() -> None:
    balance = reverse_payment(Balance(eur(10000), eur(10000), NONE), eur(10000))
    assert balance.payable == eur(10000)
    with pytest.raises(ConflictError):
        reverse_payment(balance, eur(1))
    with pytest.raises(ConflictError):
        reverse_credit(balance, eur(1))


def test_amounts_are_positive_and_of_one_currency_pay_4() -> None:
    for wrong in (0, -1):
        with pytest.raises(InvalidError):
            apply_payment(open_balance(eur(100)), eur(wrong))
    with pytest.raises(CurrencyMismatchError):
        apply_payment(open_balance(eur(100)), Money(100, "USD"))
    with pytest.raises(InvalidError):
        Balance(eur(100), eur(60), eur(41))
    with pytest.raises(InvalidError):
        Balance(eur(100), eur(-1), NONE)


@settings(max_examples=100)
@given(
    total=st.integers(0, 10**6),
    steps=st.lists(
        st.tuples(st.sampled_from(["pay", "credit", "unpay", "uncredit"]), st.integers(1, 10**6)), max_size=12
    ),
)
def test_total_is_always_paid_plus_credited_plus_payable_pay_4(total: int, steps: list[tuple[str, int]]) -> None:
    balance, came_in, over = open_balance(eur(total)), 0, 0
    for step, amount in steps:
        if step in ("pay", "credit"):
            applied = (apply_payment if step == "pay" else apply_credit)(balance, eur(amount))
            balance, came_in, over = applied.balance, came_in + amount, over + applied.over.amount_minor
        else:
            try:
                balance = (reverse_payment if step == "unpay" else reverse_credit)(balance, eur(amount))
            except ConflictError:
                continue
            came_in -= amount
        assert balance.paid + balance.credited + balance.payable == balance.total
        assert min(balance.paid.amount_minor, balance.credited.amount_minor, balance.payable.amount_minor) >= 0
        assert balance.paid.amount_minor + balance.credited.amount_minor + over == came_in


def test_the_oldest_is_served_first_and_ties_in_order_pay_4() -> None:
    new, old, twin = uuid4(), uuid4(), uuid4()
    items = [
        OpenItem(new, date(2027, 3, 1), eur(500)),
        OpenItem(old, date(2027, 1, 1), eur(300)),
        OpenItem(twin, date(2027, 1, 1), eur(300)),
    ]
    assert allocate_oldest_first(eur(700), items) == (
        [Allocation(old, eur(300)), Allocation(twin, eur(300)), Allocation(new, eur(100))],
        NONE,
    )
    assert allocate_oldest_first(eur(1200), items)[1] == eur(100)


@settings(max_examples=60)
@given(amount=st.integers(0, 10**6), lefts=st.lists(st.integers(0, 10**5), max_size=8))
def test_allocations_and_the_rest_add_up_pay_4(amount: int, lefts: list[int]) -> None:
    items = [OpenItem(uuid4(), date(2027, 1, 1 + i), eur(left)) for i, left in enumerate(lefts)]
    allocations, rest = allocate_oldest_first(eur(amount), items)
    assert sum(each.amount.amount_minor for each in allocations) + rest.amount_minor == amount
    assert rest.amount_minor == max(0, amount - sum(lefts))
    assert all(each.amount.amount_minor > 0 for each in allocations)


STATES: list[DocumentState] = ["draft", "open", "paid", "void", "uncollectible"]
ALLOWED = {
    ("draft", "open"),
    ("open", "paid"),
    ("open", "void"),
    ("open", "uncollectible"),
    ("uncollectible", "paid"),
    ("paid", "open"),
}


@pytest.mark.parametrize("current", STATES)
@pytest.mark.parametrize("wanted", STATES)
def test_only_the_drawn_transitions_are_allowed_doc_1(current: DocumentState, wanted: DocumentState) -> None:
    if (current, wanted) in ALLOWED:
        check_transition(current, wanted)
    else:
        with pytest.raises(ConflictError):
            check_transition(current, wanted)
    assert set(TRANSITIONS) == set(STATES)


def test_only_a_wholly_unpaid_open_invoice_can_be_voided_doc_3() -> None:
    check_voidable("open", open_balance(eur(100)), NONE)
    refused: list[tuple[DocumentState, Balance, Money]] = [
        ("paid", open_balance(NONE), NONE),
        ("open", Balance(eur(100), eur(1), NONE), NONE),
        ("open", Balance(eur(100), NONE, eur(1)), NONE),
        ("open", open_balance(eur(100)), eur(100)),
    ]
    for state, balance, processing in refused:
        with pytest.raises(ConflictError):
            check_voidable(state, balance, processing)


def test_state_follows_the_balance_bil_6() -> None:
    assert state_after("open", open_balance(NONE)) == "paid"
    assert state_after("paid", open_balance(eur(1))) == "open"
    assert state_after("uncollectible", Balance(eur(5), eur(1), NONE)) == "uncollectible"
    assert state_after("uncollectible", Balance(eur(5), eur(5), NONE)) == "paid"
    assert state_after("void", open_balance(NONE)) == "void"
    assert state_after("draft", open_balance(NONE)) == "draft"


@pytest.mark.parametrize(
    ("paid", "credited", "processing", "refunded", "failed", "expected"),
    [
        (0, 0, 0, 0, False, "unpaid"),
        (0, 0, 100, 0, False, "processing"),
        (0, 0, 100, 0, True, "processing"),  # a new attempt is running
        (0, 0, 0, 0, True, "failed"),
        (40, 0, 0, 0, False, "partially_paid"),
        (40, 60, 0, 0, False, "paid"),
        (100, 0, 0, 0, True, "paid"),
        (0, 100, 0, 0, False, "paid"),
        (0, 0, 0, 100, False, "refunded"),
        (60, 0, 0, 40, False, "partially_paid"),
    ],
)
def test_payment_state_derives_from_amounts_doc_1(
    paid: int, credited: int, processing: int, refunded: int, failed: bool, expected: str
) -> None:
    balance = Balance(eur(100), eur(paid), eur(credited))
    state = payment_state(balance, processing=eur(processing), refunded=eur(refunded), last_attempt_failed=failed)
    assert state == expected


def test_overdue_begins_the_day_after_the_due_date_doc_1() -> None:
    due = due_date(date(2027, 2, 12), 7)
    assert due == date(2027, 2, 19)
    assert not is_overdue("open", eur(1), due, date(2027, 2, 19))
    assert is_overdue("open", eur(1), due, date(2027, 2, 20))
    assert not is_overdue("open", NONE, due, date(2027, 3, 20))
    assert not is_overdue("void", eur(1), due, date(2027, 3, 20))


def test_nothing_on_or_before_the_lock_date_is_touched_bil_8() -> None:
    check_not_locked(date(2027, 2, 1), None)
    check_not_locked(date(2027, 2, 1), date(2027, 1, 31))
    with pytest.raises(ConflictError):
        check_not_locked(date(2027, 1, 31), date(2027, 1, 31))
