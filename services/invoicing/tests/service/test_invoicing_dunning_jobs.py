"""Reminders, standing and late fees at their instants (PAY-8)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from common.ids import new_id
from contracts.invoicing import CustomerStandingChanged, InvoiceOverdue, InvoiceReminderDue, MembershipChanged
from contracts.members import MemberChanged
from contracts.payments import PaymentFailed, PaymentPending


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


def test_memberships_end_so_many_days_past_due_and_once_only(house: Any) -> None:
    joined = house.join("2027-02-01")
    owe(house, end_memberships_after_days=20, late_fee=euro(100), late_fee_grace_days=21)
    house.advance(at(27))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None
    house.advance(at(28))
    ended = house.get(f"/v1/memberships/{joined['id']}")
    assert ended["end_date"] == "2027-02-28"
    assert house.messages(MembershipChanged)[-1].end_date == date(2027, 2, 28)
    house.api.post(f"/v1/memberships/{joined['id']}/end", {"end_date": None})
    house.advance(at(5, month=3))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None, "who let them stay is not overruled"


def test_whoever_pays_in_time_keeps_the_membership(house: Any) -> None:
    joined = house.join("2027-02-01")
    made = owe(house, end_memberships_after_days=20)
    house.advance(at(27))
    house.feed(house.payment(made))
    house.advance(at(10, month=3))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None


def test_a_customer_who_opted_out_is_neither_blocked_nor_charged_nor_ended(house: Any) -> None:
    house.feed(MemberChanged(member_id=house.member, display_name="M", reminders=False, version=2))
    joined = house.join("2027-02-01")
    owe(house, end_memberships_after_days=20, late_fee=euro(500), late_fee_grace_days=3)
    house.advance(at(20, month=3))
    assert [m.bookings_blocked for m in house.messages(CustomerStandingChanged)] == [False]
    assert house.get("/v1/fees?source=late_fee")["items"] == []
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None


def test_opting_out_and_in_again_counts_at_once(house: Any) -> None:
    owe(house)
    house.advance(at(23))
    assert house.messages(CustomerStandingChanged)[-1].bookings_blocked is True
    for version, (wanted, blocked) in enumerate(((False, False), (True, True)), start=2):
        house.feed(MemberChanged(member_id=house.member, display_name="M", reminders=wanted, version=version))
        house.advance(at(23, 12 + version))
        assert house.messages(CustomerStandingChanged)[-1].bookings_blocked is blocked
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0, 3, 7, 14]


def test_other_rules_apply_to_invoices_that_are_overdue_already(house: Any) -> None:
    owe(house, reminders=[-3, 0], block_bookings_after_days=None)
    house.advance(at(14))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0]
    house.set(reminders=[-3, 0, 3, 10], block_bookings_after_days=5)
    house.advance(at(15))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0, 3]
    assert house.messages(CustomerStandingChanged)[-1].bookings_blocked is True
    house.advance(at(19))
    assert [m.day for m in house.messages(InvoiceReminderDue)] == [-3, 0, 3, 10]


def test_nothing_ends_and_nothing_is_charged_while_money_is_on_its_way_but_when_it_failed(house: Any) -> None:
    """PAY-3, PAY-8: a direct debit takes days, and its invoice stays payable meanwhile."""
    joined = house.join("2027-02-01")
    made = owe(house, end_memberships_after_days=20, late_fee=euro(100), late_fee_grace_days=18)
    payment_id = new_id()
    house.advance(at(25))
    house.feed(house.payment(made, PaymentPending, payment_id=payment_id, state="pending"))
    house.advance(at(2, month=3))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None
    assert house.get("/v1/fees?source=late_fee")["items"] == []
    house.feed(house.payment(made, PaymentFailed, payment_id=payment_id, version=2))
    house.advance(at(2, 13, month=3))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] == "2027-03-02"
    assert [fee["price"] for fee in house.get("/v1/fees?source=late_fee")["items"]] == [euro(100)]


def test_money_that_arrives_in_time_ends_nothing(house: Any) -> None:
    joined = house.join("2027-02-01")
    made = owe(house, end_memberships_after_days=20)
    payment_id = new_id()
    house.advance(at(25))
    house.feed(house.payment(made, PaymentPending, payment_id=payment_id, state="pending"))
    house.advance(at(2, month=3))
    house.feed(house.payment(made, payment_id=payment_id, version=2))
    house.advance(at(20, month=3))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None


def test_a_membership_that_cannot_end_yet_holds_nobody_else_up(house: Any) -> None:
    """Its period stands on a draft, which no credit note can take back: it is tried again each day."""
    joined = house.join("2027-02-01", price=euro(28000))
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    owe(house, end_memberships_after_days=3)
    other = house.add_member()
    house.post(
        "/v1/invoices",
        {"member_id": f"mem_{other.hex}", "lines": [{"description": "y", "unit_price": euro(500)}]},
    )
    house.advance(at(11))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] is None
    assert {m.invoice_id for m in house.messages(InvoiceReminderDue) if m.day == 3} == {
        m.invoice_id for m in house.messages(InvoiceOverdue)
    }
    house.post(f"/v1/invoices/{draft['id']}/issue", {}, 200)
    house.advance(at(12))
    assert house.get(f"/v1/memberships/{joined['id']}")["end_date"] == "2027-02-12"
