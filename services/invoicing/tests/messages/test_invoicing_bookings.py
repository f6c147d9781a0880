"""Bookings become fees, follow their changes, and are credited once invoiced (DOC-6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from common.money import Money
from contracts.booking import BookingCancelled, BookingChanged, BookingCreated
from contracts.invoicing import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from contracts.members import MemberChanged


def fees(house: Any) -> list[tuple[str, str, int]]:
    """(source, status, amount) of the member's fees, oldest first."""
    items = house.get("/v1/fees?limit=200")["items"]
    return [(fee["source"], fee["status"], fee["price"]["amount_minor"]) for fee in reversed(items)]


def test_an_unbilled_booking_is_repriced_and_dropped_in_place(house: Any) -> None:
    booking = house.booking()
    house.feed(booking, booking)
    assert fees(house) == [("booking", "unbilled", 4500)]
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=6000, version=3))
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=5000, version=2))
    assert fees(house) == [("booking", "unbilled", 6000)]
    house.feed(house.booking(BookingCancelled, booking_id=booking.booking_id, status="cancelled", version=4))
    assert fees(house) == [("booking", "removed", 6000)]


def test_a_late_cancellation_costs_its_fee(house: Any) -> None:
    booking = house.booking()
    house.feed(booking)
    cancelled = house.booking(
        BookingCancelled,
        booking_id=booking.booking_id,
        status="cancelled",
        version=2,
        cancellation_fee=Money(2250, "EUR"),
    )
    house.feed(cancelled)
    assert [fee for fee in fees(house) if fee[1] == "unbilled"] == [("cancellation", "unbilled", 2250)]


def test_held_and_tentative_bookings_cost_nothing_yet(house: Any) -> None:
    house.feed(house.booking(BookingCreated, status="tentative"), house.booking(BookingCreated, status="held"))
    assert fees(house) == []


def test_an_invoiced_booking_is_credited_and_charged_anew(house: Any) -> None:
    """DOC-6."""
    booking = house.booking()
    house.join()
    house.feed(booking)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=6000, version=2))
    assert fees(house) == [("booking", "amended", 4500), ("booking", "unbilled", 6000)]
    (note,) = house.messages(CreditNoteIssued)
    assert (note.total.amount_minor, note.number) == (4500, "CN-2027-00001")
    bill = house.invoices()[-1]
    assert (bill["credited"]["amount_minor"], bill["payable"]["amount_minor"]) == (4500, 30000)
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=6000, version=3, note="x"))
    assert len(house.messages(CreditNoteIssued)) == 1


def test_pay_now_is_invoiced_while_held_and_voided_when_the_hold_expires(house: Any) -> None:
    """GH-2."""
    booking = house.booking(BookingCreated, status="held", payment="now")
    house.feed(booking)
    (issued,) = house.messages(InvoiceIssued)
    assert (issued.collect_now, issued.booking_ids, issued.total.amount_minor) == (True, [booking.booking_id], 4500)
    assert issued.due_date == issued.issue_date
    house.feed(house.booking(BookingCancelled, booking_id=booking.booking_id, status="expired", version=2))
    (void,) = house.messages(InvoiceVoided)
    assert (void.number, void.state) == (issued.number, "void")


def test_a_booking_that_arrives_before_its_member_waits_for_their_details(house: Any) -> None:
    from common.ids import new_id

    stranger = new_id()
    house.feed(house.booking(member_id=stranger))
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert (run["counts"]["invoices"], run["counts"]["errors"]) == (0, 1)
    house.feed(MemberChanged(member_id=stranger, display_name="Late", email="late@example.com", version=1))
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert run["counts"]["invoices"] == 1


def test_the_company_pays_unless_the_booking_is_personal(house: Any) -> None:
    """BIL-5."""
    company = house.add_company()
    house.feed(house.booking(company_id=company), house.booking(company_id=company, is_personal=True))
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert sorted(bool(i["company_id"]) for i in house.invoices()) == [False, True]


def test_the_invoice_date_follows_the_local_day_of_the_booking(house: Any) -> None:
    """A booking at 00:30 on 1 Mar in Berlin is of March, though it is still February in UTC."""
    late = datetime(2027, 2, 28, 23, 30, tzinfo=UTC)
    house.feed(house.booking(start=late, end=late.replace(minute=59)))
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01", "dry_run": True}, 200)
    assert run["counts"]["invoices"] == 0
