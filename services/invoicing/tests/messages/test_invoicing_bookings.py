"""Bookings become fees, follow their changes, and are credited once invoiced (DOC-6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from common.money import Money
from contracts.booking import BookingCancelled, BookingChanged, BookingCompleted, BookingCreated
from contracts.invoicing import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from contracts.members import MemberChanged


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


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


def test_an_amended_price_stays_when_the_booking_is_attended_and_ends(house: Any) -> None:
    """DOC-6: only another time or price of the booking itself charges it anew."""
    booking = house.booking()
    house.feed(booking)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    (fee,) = house.get("/v1/fees")["items"]
    amended = {"price": {"amount_minor": 3000, "currency": "EUR"}}
    house.post(f"/v1/fees/{fee['id']}/amendment", amended)
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, status="checked_in", version=2))
    assert fees(house) == [("booking", "amended", 4500), ("booking", "unbilled", 3000)]
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    house.feed(house.booking(BookingCompleted, booking_id=booking.booking_id, status="completed", version=3))
    assert fees(house) == [("booking", "amended", 4500), ("booking", "invoiced", 3000)]
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=6000, version=4))
    assert fees(house)[1:] == [("booking", "amended", 3000), ("booking", "unbilled", 6000)]


def test_a_price_that_staff_changed_or_a_fee_they_removed_is_not_brought_back(house: Any) -> None:
    kept, removed = house.booking(), house.booking()
    house.feed(kept, removed)
    ids = [fee["id"] for fee in reversed(house.get("/v1/fees")["items"])]
    house.api.patch(f"/v1/fees/{ids[0]}", {"quantity": "2"})
    house.api.delete(f"/v1/fees/{ids[1]}")
    for booking in (kept, removed):
        house.feed(house.booking(BookingCompleted, booking_id=booking.booking_id, status="completed", version=2))
    shown = [(fee["status"], fee["quantity"]) for fee in reversed(house.get("/v1/fees")["items"])]
    assert shown == [("unbilled", "2"), ("removed", "1")]


def test_the_same_price_at_another_time_is_charged_on_its_new_day(house: Any) -> None:
    booking = house.booking()
    house.feed(booking)
    later = {"start": datetime(2027, 3, 5, 8, 0, tzinfo=UTC), "end": datetime(2027, 3, 5, 11, 0, tzinfo=UTC)}
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, version=2, **later))
    (fee,) = house.get("/v1/fees")["items"]
    assert (fee["date"], fee["next_invoice_on"]) == ("2027-03-05", "2027-04-01")
    assert fee["name"].startswith("Blue Room, 5 Mar 2027")


def test_a_booking_on_a_draft_is_repriced_and_dropped_there(house: Any) -> None:
    """A draft is no document: nothing is credited, and no booking is lost for being on one."""
    house.advance(datetime(2027, 2, 20, 9, 0, tzinfo=UTC))
    booking = house.booking()
    house.feed(booking)
    house.post("/v1/fees", {"member_id": house.mem, "name": "Key", "price": euro(100), "bill_in_advance": True})
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    house.feed(house.booking(BookingChanged, booking_id=booking.booking_id, amount_minor=6000, version=2))
    assert fees(house) == [("booking", "unbilled", 6000), ("manual", "invoiced", 100)]
    assert house.get(f"/v1/invoices/{draft['id']}")["total"] == euro(100)
    again = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    assert again["total"] == euro(6000)
    house.feed(house.booking(BookingCancelled, booking_id=booking.booking_id, status="cancelled", version=3))
    assert fees(house) == [("booking", "removed", 6000), ("manual", "invoiced", 100)]
    assert house.api.get(f"/v1/invoices/{again['id']}").status_code == 404, "nothing was left on it"


def test_a_booking_that_follows_its_member_to_another_company_leaves_the_draft(house: Any) -> None:
    house.advance(datetime(2027, 2, 20, 9, 0, tzinfo=UTC))
    booking = house.booking()
    house.feed(booking)
    house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    company = house.add_company()
    moved = {"booking_id": booking.booking_id, "company_id": company, "version": 2}
    house.feed(house.booking(BookingChanged, **moved))
    assert fees(house) == [("booking", "removed", 4500), ("booking", "unbilled", 4500)]
    assert house.invoices() == []


def test_a_booking_invoiced_before_the_lock_date_is_credited_not_voided(house: Any) -> None:
    """BIL-8, DOC-6: the books of February are closed, the booking is cancelled all the same."""
    booking = house.booking()
    house.feed(booking)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    house.advance(datetime(2027, 3, 10, 9, 0, tzinfo=UTC))
    house.set(lock_date="2027-03-05")
    house.feed(house.booking(BookingCancelled, booking_id=booking.booking_id, status="cancelled", version=2))
    assert fees(house) == [("booking", "amended", 4500)]
    (note,) = house.messages(CreditNoteIssued)
    assert (note.issue_date.isoformat(), note.total.amount_minor) == ("2027-03-10", 4500)
    assert [(invoice["state"], invoice["payable"]) for invoice in house.invoices()] == [("paid", euro(0))]
