"""PAY-4: ``total = paid + credited + payable``, nothing negative, no cent lost between invoice and account credit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.money import CurrencyMismatchError, Money
from payments.domain.allocation import InvoiceBalance, draw_oldest_first


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


acts = st.lists(st.tuples(st.sampled_from(["pay", "credit", "take_back"]), st.integers(0, 30000)), max_size=12)


@settings(max_examples=150)
@given(total=st.integers(0, 20000), acts=acts)
def test_any_history_keeps_the_balance_pay4(total: int, acts: list[tuple[str, int]]) -> None:
    balance = InvoiceBalance.unpaid(eur(total))
    for act, minor in acts:
        before = balance
        balance, rest = getattr(balance, act)(eur(minor))
        moved = (balance.paid - before.paid) + (balance.credited - before.credited)
        assert abs(moved.amount_minor) + rest.amount_minor == minor
        assert balance.total == balance.paid + balance.credited + balance.payable == eur(total)
        assert min(balance.paid, balance.credited, balance.payable, rest) >= eur(0)


def test_overpayment_is_account_credit_and_a_chargeback_reopens() -> None:
    balance, rest = InvoiceBalance.unpaid(eur(10000)).pay(eur(12000))
    assert (balance.payable, rest) == (eur(0), eur(2000))
    balance, missing = balance.take_back(eur(12000))
    assert (balance.payable, missing) == (eur(10000), eur(2000))


def test_a_credit_note_takes_what_is_payable_first_doc5() -> None:
    balance, _ = InvoiceBalance.unpaid(eur(10000)).pay(eur(7000))
    balance, rest = balance.credit(eur(5000))
    assert (balance.paid, balance.credited, balance.payable, rest) == (eur(7000), eur(3000), eur(0), eur(2000))


def test_negative_amounts_and_other_currencies_are_refused() -> None:
    balance = InvoiceBalance.unpaid(eur(100))
    with pytest.raises(ValueError, match="not negative"):
        balance.pay(eur(-1))
    with pytest.raises(CurrencyMismatchError):
        balance.pay(Money(1, "USD"))
    with pytest.raises(ValueError, match="never negative"):
        InvoiceBalance(eur(100), eur(60), eur(60))


@settings(max_examples=80)
@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(0, 12000))
def test_account_credit_is_drawn_oldest_first_pay4(held: list[int], payable: int) -> None:
    drawn = [money.amount_minor for money in draw_oldest_first([eur(credit) for credit in held], eur(payable))]
    assert sum(drawn) == min(sum(held), payable)
    touched = [index for index, used in enumerate(drawn) if used]
    for index in range(max(touched, default=0)):
        assert drawn[index] == held[index]
