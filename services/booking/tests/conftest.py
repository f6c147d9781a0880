"""What the tests of the booking service share: an organisation with a room, told by messages as in real life."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from booking.jobs import build_jobs
from booking.service import SERVICE
from common.db import Database
from common.db.plumbing import outbox_table
from common.ids import decode_id, new_id
from common.jobs import Scheduler
from common.messaging import Consumer, Envelope, Message
from common.money import Money
from common.tenancy import store_clock
from common.testing.plugin import ApiClient, add_organization
from contracts.catalog import LocationChanged, ResourceChanged, ResourceRateChanged
from contracts.invoicing import InvoicePaid, MembershipChanged
from contracts.members import CompanyChanged, MemberChanged
from contracts.parts import Customer, Extra, RatePrice

MONDAY = datetime(2027, 2, 1, 8, tzinfo=UTC)
HOURS = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def euro(minor: int) -> Money:
    """Cents."""
    return Money(minor, "EUR")


def envelope(message: Message, organization_id: UUID) -> Envelope:
    """A message as a transport brings it."""
    return Envelope(
        message_id=new_id(),
        type=message.name,
        version=message.major,
        routing_key=message.routing_key(),
        body=message.encode(),
        created_at=datetime.now(UTC),
        producer=message.service,
        organization_id=organization_id,
    )


def invoice_paid(booking: dict[str, Any]) -> InvoicePaid:
    """The payment of the invoice of a booking."""
    money, zero = Money(booking["price"]["amount_minor"], "EUR"), euro(0)
    return InvoicePaid(
        invoice_id=new_id(),
        number="INV-1",
        state="paid",
        payment_state="paid",
        customer=Customer(),
        issue_date=date(2027, 2, 1),
        due_date=date(2027, 2, 1),
        timezone="Europe/Berlin",
        subtotal=money,
        tax_total=zero,
        total=money,
        paid=money,
        credited=zero,
        payable=zero,
        booking_ids=[decode_id("bkg", booking["id"])],
        version=1,
        paid_at=datetime(2027, 2, 1, 8, 5, tzinfo=UTC),
    )


@dataclass
class House:
    """An organisation in the booking service, with its clock, and what it has been told."""

    app: Any
    organization_id: UUID
    sign_in: Callable[..., ApiClient]
    told: list[Envelope] = field(default_factory=list)
    ticks: int = 1

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.app.extensions["database"]

    def tell(self, message: Message) -> None:
        """Bring a message to the service."""
        letter = envelope(message, self.organization_id)
        self.told.append(letter)
        outcome = Consumer(SERVICE.name, self.database, SERVICE.handlers).handle(letter)
        assert outcome.settled, outcome

    def user(self, role: str = "owner", **claims: Any) -> ApiClient:
        """A client with a token."""
        return self.sign_in(self.app, self.organization_id, role, **claims)

    def member_user(self, member_id: UUID, **claims: Any) -> ApiClient:
        """A member's client."""
        return self.user("member", member=str(member_id), sub=f"mem_{member_id.hex}", **claims)

    def published(self) -> list[dict[str, Any]]:
        """The bodies of the messages it has published, oldest first."""
        table = outbox_table
        statement = select(table.c.body).where(table.c.organization_id == self.organization_id)
        with self.database.system_session() as session:
            return [json.loads(bytes(body)) for body in session.scalars(statement.order_by(table.c.seq))]

    def statements_of(self, call: Callable[[], Any]) -> int:
        """How many statements a call sends to the database; now and then one more fills a cache."""
        return min(self._count(call) for _ in range(3))

    def _count(self, call: Callable[[], Any]) -> int:
        seen: list[str] = []
        engine = self.database.engine

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        call()
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    def set_clock(self, to: datetime) -> None:
        """Move the organisation's clock; nothing else happens."""
        self.ticks += 1
        with self.database.system_session() as session:
            store_clock(session, self.organization_id, to, self.ticks)
            session.commit()

    def advance(self, to: datetime) -> None:
        """Move the organisation's clock and do all that is due by then."""
        self.set_clock(to)
        self.run_jobs()

    def run_jobs(self) -> None:
        """One round of the scheduler, until nothing is due."""
        scheduler = Scheduler(self.database, build_jobs(self.app.extensions["settings"]), SERVICE.name)
        while scheduler.run_once():
            pass

    def pay(self, booking: dict[str, Any]) -> None:
        """A booking's invoice is paid."""
        self.tell(invoice_paid(booking))

    def location(self, **values: Any) -> UUID:
        """A location in Berlin, open on working days."""
        location_id = values.pop("location_id", None) or new_id()
        values = {"display_name": "Dock 1", "timezone": "Europe/Berlin", "opening_hours": HOURS, "version": 1, **values}
        self.tell(LocationChanged(location_id=location_id, **values))
        return location_id

    def resource(self, location_id: UUID, **values: Any) -> UUID:
        """A meeting room for members."""
        resource_id = values.pop("resource_id", None) or new_id()
        values = {"display_name": "Blue Room", "type": "meeting_room", "version": 1, **values}
        self.tell(ResourceChanged(resource_id=resource_id, location_id=location_id, **values))
        return resource_id

    def rate(self, **values: Any) -> UUID:
        """15 an hour, 50 a day, for meeting rooms."""
        rate_id = new_id()
        prices = [RatePrice(unit="hour", price=euro(1500)), RatePrice(unit="day", price=euro(5000))]
        standard: dict[str, Any] = {
            "display_name": "Rooms",
            "resource_types": ["meeting_room"],
            "prices": prices,
            "extras": [Extra(code="projector", name="Projector", price=euro(1000))],
            "currency": "EUR",
            "version": 1,
        }
        self.tell(ResourceRateChanged(rate_id=rate_id, **{**standard, **values}))
        return rate_id

    def member(self, **values: Any) -> UUID:
        """A member."""
        member_id = values.pop("member_id", None) or new_id()
        self.tell(MemberChanged(member_id=member_id, **{"display_name": "Example Member", "version": 1, **values}))
        return member_id

    def company(self, **values: Any) -> UUID:
        """A company."""
        company_id = new_id()
        self.tell(CompanyChanged(company_id=company_id, **{"display_name": "Example Ltd", "version": 1, **values}))
        return company_id

    def membership(self, **values: Any) -> UUID:
        """A membership from 1 February 2027."""
        membership_id = values.pop("membership_id", None) or new_id()
        standard: dict[str, Any] = {
            "plan_id": new_id(),
            "plan_name": "Flex",
            "start_date": date(2027, 2, 1),
            "status": "active",
            "price": euro(30000),
            "version": 1,
        }
        self.tell(MembershipChanged(membership_id=membership_id, **{**standard, **values}))
        return membership_id

    def credits(self, member_id: UUID, hours: str, **values: Any) -> UUID:
        """A membership that grants hours each month."""
        return self.membership(member_id=member_id, credits_hours=Decimal(hours), **values)


@pytest.fixture(scope="session")
def booking_app(service_app: Callable[..., Any]) -> Iterator[Any]:
    """The booking service on a database of its own."""
    return service_app(SERVICE)


@pytest.fixture
def house(booking_app: Any, sign_in: Callable[..., ApiClient]) -> House:
    """A fresh organisation whose clock stands on Monday, 1 February 2027, 9:00 in Berlin."""
    organization_id = add_organization(booking_app.extensions["database"], mode="rehearsal", clock_now=MONDAY)
    return House(booking_app, organization_id, sign_in)


@dataclass
class Room:
    """A house with one room, its rate and one member."""

    house: House
    location_id: UUID
    resource_id: UUID
    member_id: UUID
    client: ApiClient

    def body(self, start: str, end: str, **values: Any) -> dict[str, Any]:
        """The body of a booking."""
        return {
            "resource_id": f"res_{self.resource_id.hex}",
            "member_id": f"mem_{self.member_id.hex}",
            "start": start,
            "end": end,
            **values,
        }

    def book(self, start: str, end: str, **values: Any) -> Any:
        """Book as the owner."""
        return self.client.post("/v1/bookings", self.body(start, end, **values))


@pytest.fixture
def room(house: House) -> Room:
    """The Blue Room at 15 an hour and 50 a day, and a member."""
    location_id = house.location()
    resource_id = house.resource(location_id)
    house.rate()
    return Room(house, location_id, resource_id, house.member(), house.user())


@pytest.fixture(scope="session")
def house_type() -> type[House]:
    """For tests that make houses themselves (a conftest cannot be imported)."""
    return House
