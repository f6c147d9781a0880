"""Refunds that did not reach the customer: the money is where it was before (PAY-3, PAY-5)."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from common.ids import new_id
from common.money import Money
from contracts.invoicing import CreditNoteIssued, InvoicePaid, RefundRequested
from contracts.payments import PaymentRefunded, PaymentRefundFailed, PaymentReversed


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def owed(house: Any, amount_minor: int = 10000) -> Any:
    lines = [{"description": "Setup", "unit_price": euro(amount_minor)}]
    return house.post("/v1/invoices", {"member_id": house.mem, "lines": lines})


class Refund:
    """One refund of a payment of 100.00, as payments tells of it."""

    def __init__(self, house: Any, invoice: Any, minor: int = 10000, **values: Any) -> None:
        self.house, self.invoice, self.minor = house, invoice, minor
        self.paid = house.payment(invoice, amount_minor=10000)
        self.values = {"payment_id": self.paid.payment_id, "refund_id": new_id(), "refund": Money(minor, "EUR")}
        self.values |= {"amount_minor": 10000, **values}

    def made(self, version: int = 2) -> Any:
        """The provider took it."""
        state = "refunded" if self.minor == 10000 else "partially_refunded"
        fields = {**self.values, "refunded": Money(self.minor, "EUR"), "state": state, "version": version}
        fields.pop("request_id", None)
        return self.house.payment(self.invoice, PaymentRefunded, **fields)

    def failed(self, version: int = 3) -> Any:
        """And could not pass it on."""
        fields = {**self.values, "version": version, "failure_code": "account_closed"}
        return self.house.payment(self.invoice, PaymentRefundFailed, **fields)


def shown(house: Any, invoice: Any) -> tuple[str, str, int, int, int]:
    """(state, payment state, paid, credited, payable)."""
    now = house.get(f"/v1/invoices/{invoice['id']}")
    parts = [now[name]["amount_minor"] for name in ("paid", "credited", "payable")]
    assert sum(parts) == now["total"]["amount_minor"]
    return (now["state"], now["payment_state"], *parts)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_refund_without_a_credit_note_that_failed_leaves_the_invoice_paid(house: Any, order: tuple[int, ...]) -> None:
    invoice = owed(house)
    refund = Refund(house, invoice)
    steps = [refund.paid, refund.made(), refund.failed()]
    for place in order:
        house.feed(steps[place], steps[place])
    assert shown(house, invoice) == ("paid", "paid", 10000, 0, 0)
    assert house.get(f"/v1/invoices/{invoice['id']}")["paid_at"] is not None
    assert house.messages(InvoicePaid)


@pytest.mark.parametrize("order", [*permutations(range(2)), (1,), (0, 1, 0, 1)])
def test_the_refund_of_a_credit_note_that_failed_is_account_credit_again(house: Any, order: tuple[int, ...]) -> None:
    """As failed after it was made, before that was heard, without ever being made, and all of it twice."""
    invoice = owed(house)
    paid = house.payment(invoice, amount_minor=10000)
    house.feed(paid)
    note = house.post(f"/v1/invoices/{invoice['id']}/credit-notes", {"refund": True})
    assert note["refund"] == euro(10000)
    refund = Refund(house, invoice, payment_id=paid.payment_id, credit_note_id=UUID(hex=note["id"][4:]))
    steps = [refund.made(), refund.failed()]
    for place in order:
        house.feed(steps[place], steps[place])
    assert shown(house, invoice) == ("paid", "paid", 10000, 0, 0)
    after = house.get(f"/v1/credit-notes/{note['id']}")
    assert (after["refund"], after["to_account_credit"]) == (euro(0), euro(10000))
    told = house.messages(CreditNoteIssued)
    assert [(m.version, m.refund.amount_minor) for m in told] == [(1, 10000), (2, 0)]
    house.post(f"/v1/credit-notes/{note['id']}/refund", {"amount": euro(4000)}, 200)
    again = house.messages(CreditNoteIssued)[-1]
    assert (again.version, again.refund, again.to_account_credit) == (3, Money(4000, "EUR"), Money(6000, "EUR"))
    following = owed(house, 8000)
    assert following["credited"] == euro(6000)


def test_a_part_that_failed_leaves_the_part_that_arrived(house: Any) -> None:
    """Two refunds of one note, by two cards: one of them was closed."""
    invoice = owed(house)
    first, second = (house.payment(invoice, amount_minor=5000) for _ in range(2))
    house.feed(first, second)
    note = house.post(f"/v1/invoices/{invoice['id']}/credit-notes", {"refund": True})
    fields = {"amount_minor": 5000, "refund": Money(5000, "EUR"), "credit_note_id": UUID(hex=note["id"][4:])}
    made = {"state": "refunded", "refunded": Money(5000, "EUR"), "version": 2}
    for paid in (first, second):
        values = {**fields, **made, "payment_id": paid.payment_id, "refund_id": new_id()}
        house.feed(house.payment(invoice, PaymentRefunded, **values))
    failed = {**fields, "payment_id": second.payment_id, "refund_id": values["refund_id"], "version": 3}
    house.feed(house.payment(invoice, PaymentRefundFailed, failure_code="card_closed", **failed))
    assert shown(house, invoice) == ("paid", "paid", 5000, 5000, 0)
    after = house.get(f"/v1/credit-notes/{note['id']}")
    assert (after["refund"], after["to_account_credit"]) == (euro(5000), euro(5000))


@pytest.fixture
def late(house: Any) -> Any:
    """A purchase to be paid at once that is void when its money comes."""
    items = [{"name": "Locker", "price": euro(10000)}]
    bought = house.post("/v1/purchases", {"member_id": house.mem, "pay": "now", "items": items})["invoice"]
    house.post(f"/v1/invoices/{bought['id']}/void", {}, 200)
    return bought


def test_money_for_a_void_invoice_that_cannot_go_back_is_credit_of_a_customer_we_know(house: Any, late: Any) -> None:
    paid = house.payment(late, amount_minor=10000)
    house.feed(paid)
    (request,) = house.messages(RefundRequested)
    refund = Refund(house, late, payment_id=paid.payment_id, request_id=request.request_id)
    house.feed(refund.failed(), refund.made(), refund.failed())
    assert shown(house, late) == ("void", "unpaid", 0, 0, 10000)
    assert len(house.messages(RefundRequested)) == 1, "it is not asked for in vain once more"
    assert owed(house, 4000)["credited"] == euro(4000)
    house.feed(house.payment(late, amount_minor=2500))
    assert house.messages(RefundRequested)[-1].amount == Money(2500, "EUR"), "what comes after that goes back again"
    assert owed(house, 9000)["credited"] == euro(6000)


def test_a_second_try_that_succeeds_takes_the_unused_credit_away(house: Any, late: Any) -> None:
    """Somebody gave it back by hand in the end."""
    paid = house.payment(late, amount_minor=10000)
    house.feed(paid)
    (request,) = house.messages(RefundRequested)
    first = Refund(house, late, payment_id=paid.payment_id, request_id=request.request_id)
    second = Refund(house, late, payment_id=paid.payment_id)
    house.feed(first.failed(2), second.made(3))
    assert owed(house, 4000)["credited"] == euro(0)


def test_credit_that_was_used_is_payable_again_when_its_money_goes_back_after_all(house: Any, late: Any) -> None:
    """The team refunds by hand what was account credit by then: the customer does not have it twice."""
    paid = house.payment(late, amount_minor=10000)
    house.feed(paid)
    (request,) = house.messages(RefundRequested)
    first = Refund(house, late, payment_id=paid.payment_id, request_id=request.request_id)
    house.feed(first.failed(2))
    following, last = owed(house, 4000), owed(house, 3000)
    assert (shown(house, following)[0], shown(house, last)[0]) == ("paid", "paid")
    part = Refund(house, late, minor=5000, payment_id=paid.payment_id)
    house.feed(part.made(3))
    assert shown(house, following) == ("paid", "paid", 0, 4000, 0)
    assert shown(house, last) == ("open", "partially_paid", 0, 1000, 2000), "the newest gives back first"
    rest = Refund(house, late, minor=5000, payment_id=paid.payment_id)
    house.feed(
        house.payment(
            late,
            PaymentRefunded,
            **{**rest.values, "refunded": Money(10000, "EUR"), "state": "refunded", "version": 4},
        )
    )
    assert [shown(house, each)[4] for each in (following, last)] == [4000, 3000]
    assert owed(house, 1000)["credited"] == euro(0)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_refund_that_failed_for_a_chargeback_is_nobodys_credit(house: Any, late: Any, order: tuple[int, ...]) -> None:
    """The bank has that money: what comes from another card after it goes back, and is not kept as credit."""
    paid = house.payment(late, amount_minor=10000)
    house.feed(paid)
    (request,) = house.messages(RefundRequested)
    lost = {"payment_id": paid.payment_id, "state": "disputed", "amount_minor": 10000}
    refund = Refund(house, late, request_id=request.request_id, **lost)
    steps = [
        house.payment(late, PaymentReversed, version=2, reason="fraudulent", **lost),
        refund.failed(3),
        house.payment(late, amount_minor=2500),
    ]
    for place in order:
        house.feed(steps[place])
    assert owed(house, 4000)["credited"] == euro(0)
    assert house.messages(RefundRequested)[-1].amount.amount_minor in (2500, 12500)


def test_money_of_somebody_unknown_is_nobodys_credit(house: Any) -> None:
    """Their details have not come yet: payments keeps showing it."""
    from contracts.booking import BookingCancelled, BookingCreated

    stranger = new_id()
    values = {"member_id": stranger, "payment": "now", "amount_minor": 10000}
    held = house.booking(BookingCreated, status="held", **values)
    house.feed(held)
    (invoice,) = house.invoices()
    house.feed(house.booking(BookingCancelled, booking_id=held.booking_id, status="expired", version=2, **values))
    paid = house.payment(invoice, amount_minor=10000)
    house.feed(paid)
    (request,) = house.messages(RefundRequested)
    refund = Refund(house, invoice, payment_id=paid.payment_id, request_id=request.request_id)
    house.feed(refund.failed())
    house.add_member(member_id=stranger)
    lines = [{"description": "Setup", "unit_price": euro(4000)}]
    following = house.post("/v1/invoices", {"member_id": f"mem_{stranger.hex}", "lines": lines})
    assert following["credited"] == euro(0)
