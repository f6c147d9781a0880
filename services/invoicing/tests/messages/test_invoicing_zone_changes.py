"""A location that moves to another time zone bills, reminds and is charged at its new local hours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from common.ids import encode_id
from contracts.catalog import LocationChanged
from contracts.invoicing import InvoiceChanged
from invoicing.models import Fee, Invoice, Membership

BERLIN_MARCH = datetime(2027, 2, 28, 23, 0, tzinfo=UTC)
NEW_YORK_MARCH = datetime(2027, 3, 1, 5, 0, tzinfo=UTC)


def moved(house: Any, zone: str = "America/New_York", version: int = 2, location: Any = None) -> Any:
    fields = {"display_name": "Dock 1", "code": "D1", "timezone": zone, "version": version}
    return LocationChanged(location_id=location or house.location, **fields)


def run_instants(house: Any) -> set[datetime]:
    with house.database.session(house.organization_id) as session:
        return {at for model in (Membership, Fee) for at in session.scalars(select(model.run_at)) if at is not None}


def test_planned_runs_move_with_the_zone_and_an_older_message_changes_nothing(house: Any) -> None:
    house.join("2027-03-01")
    house.post("/v1/fees", {"member_id": house.mem, "name": "Key", "price": {"amount_minor": 1, "currency": "EUR"}})
    assert run_instants(house) == {BERLIN_MARCH}
    house.feed(moved(house, version=3), moved(house, "Asia/Tokyo", version=2))
    assert run_instants(house) == {NEW_YORK_MARCH}


def test_another_location_stays_as_planned(house: Any) -> None:
    other = house.add_location("Europe/Berlin")
    house.join("2027-03-01", location_id=encode_id("loc", other))
    house.feed(moved(house))
    assert run_instants(house) == {BERLIN_MARCH}


def test_the_invoice_of_march_is_made_when_march_begins_there(house: Any) -> None:
    house.set(automatic_generation=True)
    house.join("2027-03-01")
    house.feed(moved(house))
    house.advance(datetime(2027, 3, 1, 4, 59, tzinfo=UTC))
    assert house.invoices() == []
    house.advance(NEW_YORK_MARCH)
    assert [invoice["issue_date"] for invoice in house.invoices()] == ["2027-03-01"]


def test_an_open_invoice_is_charged_and_overdue_by_the_new_zone(house: Any) -> None:
    """PAY-1: payments is told; a paid one is left alone."""
    house.join("2027-02-01")
    house.post("/v1/fees", {"member_id": house.mem, "name": "x", "price": {"amount_minor": 1, "currency": "EUR"}})
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    first, second = run["invoices"]
    house.feed(house.payment(first))
    told = len(house.messages(InvoiceChanged))
    house.feed(moved(house))
    (message,) = house.messages(InvoiceChanged)[told:]
    assert (message.number, message.timezone, message.due_date.isoformat()) == (
        second["number"],
        "America/New_York",
        second["due_date"],
    )
    with house.database.session(house.organization_id) as session:
        reminded_at = session.scalars(select(Invoice.dunning_at).where(Invoice.dunning_at.is_not(None))).one()
    assert reminded_at.astimezone(UTC).hour == 15, "10:00 in New York is 15:00 UTC in winter"


def test_a_location_that_is_heard_of_late_brings_its_zone(house: Any) -> None:
    """A booking may arrive before its location."""
    from common.ids import new_id

    late = new_id()
    house.feed(house.booking(location_id=late))
    house.feed(moved(house, version=1, location=late))
    assert run_instants(house) == {NEW_YORK_MARCH}
