"""An organisation to be billed, with a clock that tests can move, fed by messages as in life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.ids import encode_id, new_id
from common.jobs import Scheduler, next_due
from common.messaging import Consumer, Envelope, Message
from common.money import Money
from common.testing.plugin import ApiClient, add_organization
from contracts.booking import BookingConfirmed, BookingState
from contracts.catalog import LocationChanged, PlanChanged
from contracts.members import CompanyChanged, MemberChanged
from contracts.parts import ChargeLine, Customer
from contracts.payments import PaymentFailed, PaymentState, PaymentSucceeded
from invoicing.jobs import build_jobs
from invoicing.service import SERVICE

START = datetime(2027, 2, 1, 8, 0, tzinfo=UTC)


def euro(amount_minor: int) -> dict[str, Any]:
    """Euros as the API writes them."""
    return {"amount_minor": amount_minor, "currency": "EUR"}


class House:
    """One organisation in Berlin: its API, its copies, its clock."""

    def __init__(self, app: Any, sign_in: Callable[..., ApiClient], now: datetime = START, **organization: Any) -> None:
        self.app, self.sign_in = app, sign_in
        self.database = app.extensions["database"]
        self.organization_id = add_organization(
            self.database, mode="rehearsal", clock_now=now, slug=f"org-{new_id().hex[-20:]}", **organization
        )
        self.api = sign_in(app, self.organization_id)
        self.consumer = Consumer(SERVICE.name, self.database, SERVICE.handlers)
        self.scheduler = Scheduler(self.database, build_jobs(None), SERVICE.name)  # type: ignore[arg-type]
        self.location = self.add_location()
        self.versions: dict[UUID, int] = {}
        self.plan = self.add_plan()
        self.member = self.add_member()

    @property
    def mem(self) -> str:
        """The member's public id."""
        return encode_id("mem", self.member)

    def feed(self, *messages: Message) -> None:
        """Deliver messages as a transport would."""
        for message in messages:
            outcome = self.consumer.handle(self.envelope(message))
            assert outcome.settled, outcome

    def envelope(self, message: Message) -> Envelope:
        """A message in transit."""
        return Envelope(
            message_id=new_id(),
            type=message.name,
            version=message.major,
            routing_key=message.routing_key(),
            body=message.encode(),
            created_at=self.database.clock.now(),
            producer=message.service,
            organization_id=self.organization_id,
        )

    def add_location(self, zone: str = "Europe/Berlin", **values: Any) -> UUID:
        location_id = new_id()
        fields = {"display_name": "Dock 1", "code": "D1", "timezone": zone, "version": 1, **values}
        self.feed(LocationChanged(location_id=location_id, **fields))
        return location_id

    def add_plan(self, amount_minor: int = 30000, **values: Any) -> UUID:
        plan_id = new_id()
        kind = values.setdefault("kind", "recurring")
        if kind == "recurring":
            values.setdefault("interval", "month")
        fields = {"display_name": "Flex desk", "price": Money(amount_minor, "EUR"), "version": 1, **values}
        self.feed(PlanChanged(plan_id=plan_id, **fields))
        return plan_id

    def add_member(self, **values: Any) -> UUID:
        member_id = values.pop("member_id", None) or new_id()
        fields = {
            "display_name": "Example Member",
            "email": "member@example.com",
            "location_id": self.location,
            "version": 1,
            **values,
        }
        self.feed(MemberChanged(member_id=member_id, **fields))
        return member_id

    def add_company(self, **values: Any) -> UUID:
        company_id = new_id()
        fields = {"display_name": "Example Ltd", "email": "office@example.com", "location_id": self.location}
        self.feed(CompanyChanged(company_id=company_id, **{**fields, "version": 1, **values}))
        return company_id

    def set(self, **settings: Any) -> None:
        """Change billing settings."""
        answer = self.api.patch("/v1/settings/billing", settings)
        assert answer.status_code == 200, answer.json

    def post(self, path: str, body: dict[str, Any] | None = None, status: int = 201, **kwargs: Any) -> Any:
        """POST that must answer with ``status``."""
        answer = self.api.post(path, body or {}, **kwargs)
        assert answer.status_code == status, answer.json
        return answer.json

    def get(self, path: str) -> Any:
        """GET that must answer 200."""
        answer = self.api.get(path)
        assert answer.status_code == 200, answer.json
        return answer.json

    def join(self, start: str = "2027-02-12", **values: Any) -> dict[str, Any]:
        """Give the member the plan."""
        plan = encode_id("pln", values.pop("plan", self.plan))
        body = {
            "plan_id": plan,
            "member_id": self.mem,
            "location_id": encode_id("loc", self.location),
            "start_date": start,
            **values,
        }
        return dict(self.post("/v1/memberships", body))

    def booking(self, kind: type[BookingState] = BookingConfirmed, **values: Any) -> BookingState:
        """The story's booking: three hours on 15 Feb 2027 for 45.00."""
        amount = values.pop("amount_minor", 4500)
        line = ChargeLine(
            description="3 hours", quantity=Decimal(3), unit_price=Money(1500, "EUR"), net=Money(amount, "EUR")
        )
        fields: dict[str, Any] = {
            "booking_id": new_id(),
            "status": "confirmed",
            "resource_id": new_id(),
            "resource_name": "Blue Room",
            "location_id": self.location,
            "timezone": "Europe/Berlin",
            "member_id": self.member,
            "start": datetime(2027, 2, 15, 8, 0, tzinfo=UTC),
            "end": datetime(2027, 2, 15, 11, 0, tzinfo=UTC),
            "price": Money(amount, "EUR"),
            "lines": [line],
            "version": 1,
        }
        return kind(**{**fields, **values})

    def payment(
        self, invoice: dict[str, Any], kind: type[PaymentState] = PaymentSucceeded, **values: Any
    ) -> PaymentState:
        """A payment of an invoice as payments reports it."""
        amount = values.pop("amount_minor", invoice["payable"]["amount_minor"])
        fields: dict[str, Any] = {
            "payment_id": new_id(),
            "invoice_id": UUID(hex=invoice["id"].removeprefix("inv_")),
            "customer": Customer(member_id=self.member),
            "amount": Money(amount, "EUR"),
            "refunded": Money(0, "EUR"),
            "state": "succeeded",
            "source": "automatic",
            "provider": "sandbox",
            "method": "card",
            "occurred_at": self.now,
            "version": 1,
        }
        if kind is PaymentFailed:
            fields |= {"state": "failed", "failure_code": "declined", "failure_kind": "soft"}
        return kind(**{**fields, **values})

    @property
    def now(self) -> datetime:
        with self.database.session(self.organization_id) as session:
            return session.now()

    def advance(self, to: datetime) -> None:
        """Move the clock as the gateway does: from due instant to due instant, letting all due work run."""
        jobs = build_jobs(None)  # type: ignore[arg-type]
        self._work()
        while (due := next_due(self.database, jobs, self.organization_id)) is not None and due <= to:
            self._put_clock(max(due, self.now))
            self._work()
        self._put_clock(to)

    def _work(self) -> None:
        for _ in range(20):
            if not self.scheduler.run_once():
                return

    def _put_clock(self, at: datetime) -> None:
        with self.database.system_session() as session:
            session.execute(
                text("UPDATE organization SET clock_now = :at WHERE id = :id"),
                {"at": at, "id": self.organization_id},
            )
            session.commit()

    def invoices(self, query: str = "") -> list[dict[str, Any]]:
        """All invoices, oldest first."""
        items = self.get(f"/v1/invoices?limit=200&sort=issue_date{query}")["items"]
        return sorted(items, key=lambda each: (each["issue_date"], each["number"] or ""))

    def messages(self, kind: type[Message] | None = None) -> list[Any]:
        """What the service told the others, in order."""
        with self.database.system_session() as session:
            rows = session.execute(
                text("SELECT routing_key, body FROM outbox WHERE organization_id = :id ORDER BY seq"),
                {"id": self.organization_id},
            ).all()
        if kind is None:
            return [row.routing_key for row in rows]
        return [kind.decode(bytes(row.body)) for row in rows if row.routing_key == kind.routing_key()]


@pytest.fixture(scope="session")
def invoicing_app(service_app: Callable[..., Any]) -> Any:
    """Invoicing on a database of its own, shared by the tests: each has an organisation of its own."""
    return service_app(SERVICE)


@pytest.fixture
def house(invoicing_app: Any, sign_in: Callable[..., ApiClient]) -> House:
    """A house in Berlin on 1 Feb 2027."""
    return House(invoicing_app, sign_in)


@pytest.fixture
def build_house(invoicing_app: Any, sign_in: Callable[..., ApiClient]) -> Callable[..., House]:
    """Makes houses with another clock, currency or zone."""

    def build(now: datetime = START, **organization: Any) -> House:
        return House(invoicing_app, sign_in, now, **organization)

    return build
