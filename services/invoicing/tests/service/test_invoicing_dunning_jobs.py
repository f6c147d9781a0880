"""Reminders, standing and late fees at their instants (PAY-8)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from contracts.invoicing import CustomerStandingChanged, InvoiceOverdue, InvoiceReminderDue
from contracts.members import MemberChanged


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def owe(house: Any, **settings: Any) -> Any:
    """An invoice of 1 Feb, due on 8 Feb."""
    house.set(payment_terms_days=7, **settings)
    return house.post(
        "/v1/invoices", {"member_id": house.mem, "lines": [{"description": "x", "unit_price": euro(10000)}]}
    )


def at(day: int, hour: int = 12, month: int = 2) -> datetime:
    return datetime(2027, month, day, hour, tzinfo=UTC)


def test_the_ladder_is_climbed_step_by_step_and_left_on_payment(house: Any) -> None:
    made = owe(house)
    house.advance(at(5, 8))
    assert house.messages(InvoiceReminderDue) == []
    house.advance(at(12))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0, 3]
    assert [m.days_overdue for m in house.messages(InvoiceOverdue)] == [1]
    house.advance(at(22))
    standing = [(m.overdue_since, m.bookings_blocked) for m in house.messages(CustomerStandingChanged)]
    assert standing == [(date(2027, 2, 8), False), (date(2027, 2, 8), True)]
    house.feed(house.payment(made))
    last = house.messages(CustomerStandingChanged)[-1]
    assert (last.overdue_since, last.bookings_blocked) == (None, False)
    house.advance(at(30, month=3))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0, 3, 7, 14]


def test_nobody_is_reminded_of_what_is_charged_automatically_until_it_is_late(house: Any) -> None:
    owe(house, automatic_collection=True)
    house.advance(at(12))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [3]


def test_a_customer_may_opt_out(house: Any) -> None:
    house.feed(MemberChanged(member_id=house.member, display_name="M", reminders=False, version=2))
    owe(house)
    house.advance(at(20))
    assert house.messages(InvoiceReminderDue) == []
    assert len(house.messages(InvoiceOverdue)) == 1


def test_after_downtime_only_the_latest_reminder_is_sent(house: Any) -> None:
    owe(house)
    house._put_clock(at(16))
    house.advance(at(16))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [7]


def test_late_fees_are_fees_on_the_next_run(house: Any) -> None:
    owe(house, late_fee_percent="1", late_fee=euro(500), late_fee_grace_days=3, late_fee_repeat_days=10)
    house.advance(at(23))
    fees = house.get("/v1/fees")["items"]
    assert [(f["source"], f["price"], f["date"]) for f in reversed(fees)] == [
        ("late_fee", euro(600), "2027-02-12"),
        ("late_fee", euro(600), "2027-02-22"),
    ]
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert run["invoices"][0]["total"] == euro(1200)
    assert house.invoices()[0]["total"] == euro(10000)
