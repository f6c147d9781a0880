"""What booking tells and what it listens to: state-carrying, duplicated, shuffled, resent from nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text

from booking.models import Base, Customer, Location, Membership, Resource, ResourceRate
from booking.service import SERVICE
from common.messaging import Consumer
from common.money import Money
from contracts.booking import (
    BookingCancelled,
    BookingChanged,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingState,
)
from contracts.parts import ParallelTax

START, END = "2027-02-15T09:00:00Z", "2027-02-15T12:00:00Z"
KINDS: dict[str, type[BookingState]] = {
    kind.name: kind for kind in (BookingCreated, BookingChanged, BookingConfirmed, BookingCancelled, BookingCompleted)
}


def published(room: Any) -> list[BookingState]:
    """The booking messages of an organisation in their order."""
    with room.house.database.system_session() as session:
        rows = session.execute(
            text("SELECT type, body FROM outbox WHERE organization_id = :org ORDER BY seq"),
            {"org": room.house.organization_id},
        ).all()
    return [KINDS[row.type].decode(bytes(row.body)) for row in rows if row.type in KINDS]


def test_a_booking_is_told_with_its_price_and_every_later_state_with_a_higher_version(room: Any) -> None:
    made = room.book(START, END, note="Board").json
    room.client.patch(f"/v1/bookings/{made['id']}", {"end": "2027-02-15T11:00:00Z"})
    room.house.advance(datetime(2027, 2, 15, 11, tzinfo=UTC))
    told = published(room)
    assert [type(message) for message in told] == [BookingCreated, BookingChanged, BookingCompleted]
    assert [message.version for message in told] == [1, 2, 3]
    created = told[0]
    assert (created.status, created.price, created.note) == ("confirmed", Money(4500, "EUR"), "Board")
    assert Money.total((line.net for line in created.lines), "EUR") == created.price
    assert (created.timezone, created.resource_name) == ("Europe/Berlin", "Blue Room")
    assert told[2].price == Money(3000, "EUR")


def test_the_tax_settings_of_the_rate_travel_with_the_booking(room: Any) -> None:
    room.house.rate(
        resource_ids=[room.resource_id], tax_percent=Decimal(19), prices_include_tax=True, revenue_account="8400"
    )
    room.book(START, END)
    told = published(room)[0]
    assert (told.tax_percent, told.prices_include_tax, told.revenue_account) == (Decimal(19), True, "8400")


def test_parallel_taxes_of_the_rate_travel_with_the_booking_tax_2(room: Any) -> None:
    """They are frozen with its price (PRI-1)."""
    taxes = [ParallelTax(name="GST", percent=Decimal(5), category="S"), ParallelTax(name="PST", percent=Decimal(7))]
    rate = {"resource_ids": [room.resource_id], "tax_percent": Decimal(12)}
    room.house.rate(**rate, taxes=taxes)
    made = room.book(START, END).json
    shown = [{"name": "GST", "percent": "5", "category": "S"}, {"name": "PST", "percent": "7", "category": None}]
    assert (made["taxes"], made["tax_percent"]) == (shown, "12")
    room.client.patch(f"/v1/bookings/{made['id']}", {"note": "Board"})
    assert [(told.taxes, told.tax_percent) for told in published(room)] == [(taxes, Decimal(12))] * 2


def test_gh_2_a_booking_to_be_paid_now_is_confirmed_by_its_payment_once(room: Any) -> None:
    held = room.book(START, END, payment="now").json
    room.house.pay(held)
    room.house.pay(held)
    shown = room.client.get(f"/v1/bookings/{held['id']}").json
    assert (shown["status"], shown["hold_expires_at"]) == ("confirmed", None)
    room.house.advance(datetime(2027, 2, 1, 9, tzinfo=UTC))
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "confirmed"
    assert [type(m) for m in published(room)] == [BookingCreated, BookingConfirmed]


def test_gh_2_a_hold_that_is_not_paid_runs_out_and_says_so(room: Any) -> None:
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 1, 8, 10, tzinfo=UTC))
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "expired"
    assert [(type(m), m.status) for m in published(room)] == [(BookingCreated, "held"), (BookingCancelled, "expired")]


def test_gh_2_a_late_payment_gets_the_time_if_nobody_took_it(room: Any) -> None:
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 1, 8, 30, tzinfo=UTC))
    room.house.pay(held)
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "confirmed"
    assert room.book(START, END).json["code"] == "slot_taken"


def test_gh_2_a_late_payment_for_a_slot_that_is_taken_leaves_it_expired_and_says_so_once(room: Any) -> None:
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 1, 8, 30, tzinfo=UTC))
    assert room.book(START, END).status_code == 201
    room.house.pay(held)
    room.house.pay(held)
    shown = room.client.get(f"/v1/bookings/{held['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("expired", "paid_too_late")
    assert [m.status for m in published(room) if isinstance(m, BookingCancelled)] == ["expired", "expired"]
    [problem] = room.client.get("/v1/setup/booking").json["problems"]
    assert problem["code"] == "bookings_paid_too_late"
    assert "goes back by itself" in problem["detail"], "nobody is told to refund what is refunded anyway"


def test_copies_are_the_same_after_duplicates_in_any_order(house: Any) -> None:
    location_id = house.location()
    resource_id = house.resource(location_id)
    house.rate()
    member_id = house.member()
    house.membership(member_id=member_id)
    house.location(location_id=location_id, version=3, display_name="Third")
    house.location(location_id=location_id, version=2, display_name="Second")
    house.resource(location_id, resource_id=resource_id, version=2, display_name="Green Room")
    house.member(member_id=member_id, version=2, display_name="Renamed")
    before = copies(house)
    assert before["location"][0]["name"] == "Third"
    letters = house.told * 2
    random.Random(7).shuffle(letters)
    consumer = Consumer(SERVICE.name, house.database, SERVICE.handlers)
    assert all(consumer.handle(letter).settled for letter in letters)
    assert copies(house) == before


def test_copies_are_rebuilt_from_nothing_by_a_resend(house: Any) -> None:
    location_id = house.location()
    house.resource(location_id)
    house.rate()
    house.credits(house.member(), "5")
    before = copies(house)
    with house.database.system_session() as session:
        for table in ("location", "resource", "resource_rate", "customer", "membership"):
            session.execute(text(f"DELETE FROM {table} WHERE organization_id = :org"), {"org": house.organization_id})
        session.execute(text("DELETE FROM inbox WHERE organization_id = :org"), {"org": house.organization_id})
        session.commit()
    consumer = Consumer(SERVICE.name, house.database, SERVICE.handlers)
    letters = list(house.told)
    random.Random(3).shuffle(letters)
    assert all(consumer.handle(letter).settled for letter in letters)
    assert copies(house) == before


def copies(house: Any) -> dict[str, list[dict[str, Any]]]:
    """All copies of an organisation, without the numbers that this database gives to resources."""
    found: dict[str, list[dict[str, Any]]] = {}
    with house.database.session(house.organization_id) as session:
        for model in (Location, Resource, ResourceRate, Customer, Membership):
            columns = [column.name for column in model.__table__.columns if column.name != "number"]
            rows = session.scalars(select(model).order_by(model.id))
            found[model.__tablename__] = [{name: getattr(row, name) for name in columns} for row in rows]
    return found


def test_every_subscription_of_booking_has_a_handler() -> None:
    from contracts.subscriptions import SUBSCRIPTIONS

    assert set(SERVICE.handlers.types()) == set(SUBSCRIPTIONS["booking"])
    assert Base.metadata is SERVICE.metadata


def test_crd_3_a_late_payment_takes_the_credits_again_that_it_counted_on(room: Any) -> None:
    """They went back when the hold ran out: spent twice they must not be."""
    room.house.credits(room.member_id, "2")
    held = room.book(START, END, payment="now").json
    assert (held["credits_used"], held["price"]["amount_minor"]) == ("2", 1500)
    room.house.advance(datetime(2027, 2, 1, 8, 30, tzinfo=UTC))
    assert room.client.get("/v1/credits").json["balance"]["available"] == "2"
    room.house.pay(held)
    room.house.pay(held)
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "confirmed"
    left = room.client.get("/v1/credits").json["balance"]
    assert (left["reserved"], left["available"]) == ("2", "0")


def test_crd_3_a_late_payment_whose_credits_are_spent_by_now_is_too_late(room: Any) -> None:
    room.house.credits(room.member_id, "2")
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 1, 8, 30, tzinfo=UTC))
    assert room.book("2027-02-16T09:00:00Z", "2027-02-16T10:00:00Z").json["credits_used"] == "1"
    room.house.pay(held)
    shown = room.client.get(f"/v1/bookings/{held['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("expired", "paid_too_late")
    assert room.client.get("/v1/credits").json["balance"]["reserved"] == "1"
    assert room.book(START, END).status_code == 201, "the time is anybody's"


def test_gh_2_a_late_payment_for_a_time_that_is_over_is_too_late(room: Any) -> None:
    """A direct debit may take days."""
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 15, 12, tzinfo=UTC))
    room.house.pay(held)
    shown = room.client.get(f"/v1/bookings/{held['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("expired", "paid_too_late")
    assert published(room)[-1].paid_too_late


def needs_approval(room: Any) -> None:
    """The room is booked on request only."""
    policy = {"booking_policy": {"approval": True}}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, **policy)


def test_gh_2_a_late_payment_asks_for_approval_like_one_in_time(room: Any) -> None:
    needs_approval(room)
    held = room.book(START, END, payment="now").json
    room.house.advance(datetime(2027, 2, 1, 8, 30, tzinfo=UTC))
    room.house.pay(held)
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "tentative"
    assert isinstance(published(room)[-1], BookingChanged)


def test_gh_2_a_request_that_was_paid_and_never_answered_is_rejected_so_that_the_money_goes_back(room: Any) -> None:
    """An expired booking keeps what was paid until it hears of the payment; this one has heard of it already."""
    needs_approval(room)
    held = room.book(START, END, payment="now").json
    room.house.pay(held)
    room.house.advance(datetime(2027, 2, 15, 9, tzinfo=UTC))
    shown = room.client.get(f"/v1/bookings/{held['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("rejected", "unanswered")
    last = published(room)[-1]
    assert (type(last), last.status) == (BookingCancelled, "rejected")
