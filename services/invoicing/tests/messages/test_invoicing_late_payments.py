"""Payments that cross the end of a hold: nobody is charged twice, and no money stays where nothing was given (GH-2)."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from common.ids import new_id
from common.money import Money
from contracts.booking import BookingCancelled, BookingConfirmed, BookingCreated
from contracts.invoicing import CreditNoteIssued, InvoiceIssued, InvoicePaid, RefundRequested
from contracts.payments import PaymentFailed, PaymentPending, PaymentRefunded


class Hold:
    """A booking that is held until its invoice is paid."""

    def __init__(self, house: Any, **values: Any) -> None:
        self.house = house
        self.values = {"payment": "now", "checkout_id": new_id(), **values}
        self.first = house.booking(BookingCreated, status="held", **self.values)
        house.feed(self.first)
        (self.invoice,) = house.invoices()

    def message(self, kind: Any, status: str, version: int, **more: Any) -> Any:
        """A later state of the booking."""
        fields = {**self.values, **more}
        return self.house.booking(kind, booking_id=self.first.booking_id, status=status, version=version, **fields)

    def expired(self, version: int = 2, *, too_late: bool = False) -> Any:
        """The hold ran out."""
        return self.message(BookingCancelled, "expired", version, paid_too_late=too_late)

    def payment(self, *kind: Any, **values: Any) -> Any:
        """A payment by card on the storefront."""
        fields = {"source": "checkout", "booking_ids": [self.first.booking_id], **values}
        return self.house.payment(self.invoice, *kind, **fields)


@pytest.fixture
def hold(house: Any) -> Hold:
    """A guest's booking of 45.00 with its open invoice."""
    return Hold(house)


def states(house: Any) -> list[tuple[str, int, int]]:
    """(state, paid, credited) of the invoices."""
    return [(i["state"], i["paid"]["amount_minor"], i["credited"]["amount_minor"]) for i in house.invoices()]


def test_a_payment_for_a_void_invoice_is_asked_back(house: Any, hold: Hold) -> None:
    house.feed(hold.expired(), hold.payment())
    (request,) = house.messages(RefundRequested)
    assert (request.amount, str(request.invoice_id.hex)) == (Money(4500, "EUR"), hold.invoice["id"][4:])
    assert states(house) == [("void", 0, 0)]
    later = house.post(
        "/v1/invoices",
        {
            "member_id": house.mem,
            "lines": [{"description": "x", "unit_price": {"amount_minor": 4500, "currency": "EUR"}}],
        },
    )
    assert later["payable"]["amount_minor"] == 4500, "money that goes back is no account credit"


def test_it_is_asked_back_once_and_a_second_payment_too(house: Any, hold: Hold) -> None:
    first, second = new_id(), new_id()
    house.feed(hold.expired())
    house.feed(hold.payment(payment_id=first), hold.payment(payment_id=first, version=2))
    refund = {"refund_id": new_id(), "refund": Money(4500, "EUR"), "refunded": Money(4500, "EUR")}
    house.feed(hold.payment(PaymentRefunded, payment_id=first, state="refunded", version=3, **refund))
    house.feed(hold.payment(payment_id=second))
    requests = house.messages(RefundRequested)
    assert [r.amount.amount_minor for r in requests] == [4500, 9000]
    assert len({r.request_id for r in requests}) == 1
    assert [r.version for r in requests] == sorted({r.version for r in requests})


def test_an_invoice_paid_before_its_hold_expired_waits_for_what_booking_says(house: Any, hold: Hold) -> None:
    """The booking is revived: it keeps its invoice, and nothing is charged again."""
    house.feed(hold.payment(), hold.expired())
    assert states(house) == [("paid", 4500, 0)]
    house.feed(hold.message(BookingConfirmed, "confirmed", 3))
    assert states(house) == [("paid", 4500, 0)]
    assert len(house.messages(InvoiceIssued)) == 1
    assert house.messages(CreditNoteIssued) == []


def test_a_booking_paid_too_late_is_credited_and_refunded(house: Any, hold: Hold) -> None:
    house.feed(hold.payment(), hold.expired(), hold.expired(3, too_late=True))
    (note,) = house.messages(CreditNoteIssued)
    assert (note.refund, note.to_account_credit, note.allocated) == (
        Money(4500, "EUR"),
        Money(0, "EUR"),
        Money(0, "EUR"),
    )
    assert len(house.messages(InvoicePaid)) == 1, "a credit is no payment that booking might revive something for"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_the_money_goes_back_once(house: Any, hold: Hold, order: tuple[int, ...]) -> None:
    """PAY-3."""
    steps = [hold.payment(), hold.expired(), hold.expired(3, too_late=True)]
    for place in order:
        house.feed(steps[place], steps[place])
    asked = sum(note.refund.amount_minor for note in house.messages(CreditNoteIssued))
    asked += max((r.amount.amount_minor for r in house.messages(RefundRequested)), default=0)
    assert asked == 4500
    assert [fee["status"] for fee in house.get("/v1/fees")["items"]] == ["amended"]


def test_money_under_way_keeps_the_invoice_open_until_it_fails(house: Any, hold: Hold) -> None:
    payment_id = new_id()
    house.feed(hold.payment(PaymentPending, payment_id=payment_id, state="pending"), hold.expired())
    assert states(house) == [("open", 0, 0)]
    assert house.messages(InvoicePaid) == []
    house.feed(hold.payment(PaymentFailed, payment_id=payment_id, version=2))
    assert states(house) == [("void", 0, 0)]


def test_an_expired_hold_gives_account_credit_back_and_is_not_taken_for_paid(house: Any) -> None:
    """A member's credit of 10.00 lay on the invoice: crediting it would have looked like a payment."""
    first = house.post(
        "/v1/invoices",
        {
            "member_id": house.mem,
            "lines": [{"description": "x", "unit_price": {"amount_minor": 1000, "currency": "EUR"}}],
        },
    )
    house.feed(house.payment(first))
    house.post(f"/v1/invoices/{first['id']}/credit-notes", {})
    booking = house.booking(BookingCreated, status="held", payment="now")
    house.feed(booking)
    paid = len(house.messages(InvoicePaid))
    assert [i["credited"]["amount_minor"] for i in house.invoices() if i["state"] == "open"] == [1000]
    house.feed(
        house.booking(BookingCancelled, booking_id=booking.booking_id, status="expired", version=2, payment="now")
    )
    assert [i["state"] for i in house.invoices()] == ["paid", "void"]
    assert len(house.messages(InvoicePaid)) == paid
    again = house.post(
        "/v1/invoices",
        {
            "member_id": house.mem,
            "lines": [{"description": "y", "unit_price": {"amount_minor": 4500, "currency": "EUR"}}],
        },
    )
    assert again["credited"]["amount_minor"] == 1000


def test_a_purchase_that_is_paid_after_its_checkout_expired_is_asked_back(house: Any) -> None:
    from datetime import UTC, datetime

    from common.ids import encode_id

    bought = house.post(
        "/v1/purchases",
        {
            "member_id": house.mem,
            "pay": "now",
            "items": [{"name": "Locker", "price": {"amount_minor": 2000, "currency": "EUR"}}],
            "checkout_id": encode_id("chk", new_id()),
        },
    )
    house.advance(datetime(2027, 2, 1, 9, 0, tzinfo=UTC))
    house.feed(house.payment(bought["invoice"]))
    (request,) = house.messages(RefundRequested)
    assert request.amount == Money(2000, "EUR")
    assert request.invoice_id == UUID(hex=bought["invoice"]["id"][4:])
