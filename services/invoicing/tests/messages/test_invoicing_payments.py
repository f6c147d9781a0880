"""Money as payments reports it, in any order and repeated (PAY-3, PAY-4, PAY-5)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from common.ids import new_id
from common.money import Money
from contracts.invoicing import InvoiceChanged, InvoiceIssued, InvoicePaid
from contracts.payments import (
    PaymentFailed,
    PaymentPending,
    PaymentRefunded,
    PaymentReversed,
    PaymentSucceeded,
)

SIMPLE = {"lines": [{"description": "Setup", "unit_price": {"amount_minor": 10000, "currency": "EUR"}}]}


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def invoice(house: Any, amount_minor: int = 10000) -> Any:
    """An open invoice of the member."""
    lines = [{"description": "Setup", "unit_price": euro(amount_minor)}]
    return house.post("/v1/invoices", {"member_id": house.mem, "lines": lines})


def now(house: Any, made: Any) -> Any:
    """The invoice as it is now."""
    shown = house.get(f"/v1/invoices/{made['id']}")
    parts = [shown[name]["amount_minor"] for name in ("paid", "credited", "payable")]
    assert sum(parts) == shown["total"]["amount_minor"], "total = paid + credited + payable"
    return shown


def test_a_payment_pays_once_however_often_it_is_told(house: Any) -> None:
    made = invoice(house)
    payment = house.payment(made)
    house.feed(payment, payment)
    assert now(house, made)["state"] == "paid"
    assert len(house.messages(InvoicePaid)) == 1


def test_a_partial_payment_leaves_the_rest_and_an_overpayment_becomes_account_credit(house: Any) -> None:
    made = invoice(house)
    house.feed(house.payment(made, amount_minor=4000, source="manual"))
    assert (now(house, made)["payment_state"], now(house, made)["payable"]) == ("partially_paid", euro(6000))
    house.feed(house.payment(made, amount_minor=9000, source="manual"))
    assert (now(house, made)["state"], now(house, made)["paid"]) == ("paid", euro(10000))
    following = invoice(house, 5000)
    assert (following["credited"], following["payable"]) == (euro(3000), euro(2000))
    assert following["payment_state"] == "partially_paid"


@pytest.mark.parametrize("ending", ["refunded", "disputed"])
def test_an_overpayment_that_goes_back_is_no_longer_what_paid_another_invoice(house: Any, ending: str) -> None:
    """PAY-4, PAY-5: paid twice by mistake, the second used up, then given or taken back."""
    made = invoice(house)
    twice = house.payment(made)
    house.feed(house.payment(made), twice)
    following = invoice(house, 7000)
    assert (following["state"], following["credited"]) == ("paid", euro(7000))
    fields = {"payment_id": twice.payment_id, "state": ending, "version": 2}
    if ending == "disputed":
        house.feed(house.payment(made, PaymentReversed, reason="duplicate", **fields))
    else:
        refund = {"refund_id": new_id(), "refund": Money(10000, "EUR"), "refunded": Money(10000, "EUR")}
        house.feed(house.payment(made, PaymentRefunded, **refund, **fields))
    assert (now(house, made)["state"], now(house, made)["paid"]) == ("paid", euro(10000))
    again = now(house, following)
    assert (again["state"], again["credited"], again["payable"]) == ("open", euro(0), euro(7000))


def test_account_credit_that_covers_all_issues_a_paid_invoice(house: Any) -> None:
    made = invoice(house)
    house.feed(house.payment(made, amount_minor=30000))
    following = invoice(house, 5000)
    assert (following["state"], following["payable"]) == ("paid", euro(0))
    assert [m.invoice_id.hex for m in house.messages(InvoicePaid)][-1] == following["id"].removeprefix("inv_")


def test_a_chargeback_reopens_the_invoice(house: Any) -> None:
    made = invoice(house)
    payment = house.payment(made)
    house.feed(payment)
    house.feed(
        house.payment(
            made, PaymentReversed, payment_id=payment.payment_id, state="failed", version=2, reason="chargeback"
        )
    )
    shown = now(house, made)
    assert (shown["state"], shown["payment_state"], shown["payable"]) == ("open", "failed", euro(10000))
    assert [m.state for m in house.messages(InvoiceChanged)] == ["open"]
    house.feed(house.payment(made))
    assert now(house, made)["state"] == "paid"
    assert len(house.messages(InvoicePaid)) == 2


def test_a_refund_without_credit_note_makes_it_payable_again_and_with_one_credits_it(house: Any) -> None:
    """PAY-5."""
    for credit_note_id, state, payable in ((None, "refunded", 10000), (new_id(), "refunded", 0)):
        made = invoice(house)
        payment = house.payment(made)
        house.feed(payment)
        house.feed(
            house.payment(
                made,
                PaymentRefunded,
                payment_id=payment.payment_id,
                state="refunded",
                refunded=Money(10000, "EUR"),
                version=2,
                refund_id=new_id(),
                refund=Money(10000, "EUR"),
                credit_note_id=credit_note_id,
            )
        )
        shown = now(house, made)
        assert (shown["payment_state"], shown["payable"]) == (state, euro(payable))
        assert shown["state"] == ("paid" if credit_note_id else "open")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_messages_in_any_order_and_twice_end_in_the_same_state(house: Any, order: tuple[int, ...]) -> None:
    """A failed attempt, a pending one that succeeds, a partial refund: eight of their orders, one outcome."""
    made = invoice(house)
    first, second = new_id(), new_id()
    messages = [
        house.payment(made, PaymentFailed, payment_id=first, attempt=1),
        house.payment(made, PaymentPending, payment_id=second, attempt=2, state="pending"),
        house.payment(made, PaymentSucceeded, payment_id=second, attempt=2, version=2),
        house.payment(
            made,
            PaymentRefunded,
            payment_id=second,
            attempt=2,
            version=3,
            state="partially_refunded",
            refunded=Money(2500, "EUR"),
            refund_id=new_id(),
            refund=Money(2500, "EUR"),
        ),
    ]
    house.feed(*[messages[i] for i in order], *[messages[i] for i in reversed(order)])
    shown = now(house, made)
    assert (shown["state"], shown["payment_state"]) == ("open", "partially_paid")
    assert (shown["paid"], shown["payable"]) == (euro(7500), euro(2500))


def test_a_zero_invoice_is_issued_and_at_once_paid(house: Any) -> None:
    """BIL-6."""
    made = invoice(house, 0)
    assert (made["state"], made["payment_state"], made["number"]) == ("paid", "paid", "INV-2027-00001")
    assert [m.version for m in house.messages(InvoiceIssued)] == [1]
    assert len(house.messages(InvoicePaid)) == 1
