"""An organisation in the payments service alone: other services are played by their messages, time by its clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from common.clock import SystemClock, as_utc
from common.db import Database
from common.db.plumbing import outbox_table
from common.ids import decode_id, encode_id, new_id
from common.jobs import JobRun, next_due
from common.messaging import Consumer, Envelope, Message
from common.money import Money
from common.testing.plugin import ApiClient, add_organization
from contracts.invoicing import BillingSettingsChanged, CreditNoteIssued, InvoiceIssued
from contracts.members import ClockAdvanced, MemberChanged, OrganizationChanged
from contracts.parts import Customer
from payments.jobs import jobs_with
from payments.service import SERVICE

START = datetime(2027, 2, 1, 8, tzinfo=UTC)


def euro(minor: int) -> dict[str, Any]:
    """Money in euros as the API writes it."""
    return {"amount_minor": minor, "currency": "EUR"}


def credit_note(invoice: str, minor: int) -> CreditNoteIssued:
    """A credit note that goes back."""
    money, nothing = Money(minor, "EUR"), Money(0, "EUR")
    return CreditNoteIssued(
        credit_note_id=new_id(),
        number="CN-2027-00001",
        invoice_id=decode_id("inv", invoice),
        invoice_number="INV-2027-00001",
        customer=Customer(name="Example Member"),
        issue_date=date(2027, 2, 1),
        total=money,
        allocated=nothing,
        to_account_credit=nothing,
        refund=money,
        invoice_payable=nothing,
        version=1,
    )


def envelope(message: Message, organization_id: UUID) -> Envelope:
    """A message as a transport would hand it over."""
    return Envelope(
        message_id=new_id(),
        type=message.name,
        version=message.major,
        routing_key=message.routing_key(),
        body=message.encode(),
        created_at=START,
        producer=message.service,
        organization_id=organization_id,
    )


class MovableClock:
    """The real time, and as much later as a test has waited."""

    def __init__(self) -> None:
        self.waited = timedelta(0)

    def now(self) -> datetime:
        """Real time and what was waited."""
        return SystemClock().now() + self.waited


@dataclass
class House:
    """One organisation and the ways to act on it."""

    app: Any
    id: UUID
    owner: ApiClient
    nobody: ApiClient
    member: str
    mode: str = "rehearsal"
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The service's database."""
        found: Database = self.app.extensions["database"]
        return found

    @property
    def consumer(self) -> Consumer:
        """What handles messages."""
        return Consumer(SERVICE.name, self.database, SERVICE.handlers)

    def tell(self, message: Message) -> None:
        """Hand a message over."""
        outcome = self.consumer.handle(envelope(message, self.id))
        assert outcome.settled, outcome

    def next_version(self, name: str) -> int:
        """Versions that rise by one."""
        self.versions[name] = self.versions.get(name, 0) + 1
        return self.versions[name]

    def organization_changed(self) -> None:
        """As `members` tells it."""
        self.tell(
            OrganizationChanged(
                organization_id=self.id,
                slug=f"org-{self.id.hex[-12:]}",
                display_name="Harbour Works",
                country="DE",
                currency="EUR",
                timezone="Europe/Berlin",
                mode=self.mode,
                clock_now=START if self.mode == "rehearsal" else None,
                version=self.next_version("organization") + 1,
            )
        )

    def add_member(self, **changes: Any) -> str:
        """A new member's public id."""
        member_id = new_id()
        values = {"display_name": "Example Member", "email": "member@example.com", "version": 1, **changes}
        self.tell(MemberChanged(member_id=member_id, **values))
        return encode_id("mem", member_id)

    def switch_on(self, *, automatic: bool = True, pay_now: bool = True, **changes: Any) -> None:
        """The billing settings, with automatic collection."""
        self.tell(
            BillingSettingsChanged(
                automatic_generation=True,
                automatic_sending=True,
                automatic_collection=automatic,
                pay_now=pay_now,
                payment_terms_days=7,
                version=self.next_version("settings"),
                **changes,
            )
        )

    def invoice_message(self, minor: int, *, due: str, kind: type[Any] = InvoiceIssued, **changes: Any) -> Any:
        """An invoice of the member as `invoicing` tells it."""
        nothing, total = Money(0, "EUR"), Money(minor, "EUR")
        values: dict[str, Any] = {
            "invoice_id": new_id(),
            "number": "INV-2027-00001",
            "state": "open",
            "payment_state": "unpaid",
            "customer": Customer(member_id=decode_id("mem", self.member), name="Example Member"),
            "issue_date": date(2027, 2, 12),
            "due_date": date.fromisoformat(due),
            "timezone": "Europe/Berlin",
            "subtotal": total,
            "tax_total": nothing,
            "total": total,
            "paid": nothing,
            "credited": nothing,
            "payable": total,
            "collect": True,
            "version": 1,
        }
        return kind(**{**values, **changes})

    def issue(self, minor: int, *, due: str, **changes: Any) -> str:
        """Issue an invoice; its public id."""
        message = self.invoice_message(minor, due=due, **changes)
        self.tell(message)
        return encode_id("inv", message.invoice_id)

    def save_method(self, token: str, **changes: Any) -> str:
        """Save a sandbox method of the member; its public id."""
        made = self.owner.post("/v1/payment-methods/setup", {"member_id": self.member, "token": token, **changes})
        assert made.status_code == 201, made.json
        return str(made.json["id"])

    def payments(self, invoice: str) -> list[dict[str, Any]]:
        """Payments of an invoice, the oldest first."""
        found = self.owner.get(f"/v1/payments?invoice_id={invoice}&sort=id").json["items"]
        return list(found)

    def now(self) -> datetime:
        """The organisation's clock."""
        with self.database.session(self.id) as session:
            return session.now()

    def jobs(self) -> Any:
        """The service's jobs on the app's providers."""
        return jobs_with(self.app.extensions["providers"])

    def run(self, name: str | None = None) -> None:
        """Do what is due now, and what that makes due; of one job only when it is named."""
        jobs = [job for job in self.jobs() if name in (None, job.name)]
        for _ in range(4):
            now = self.now()
            due = next_due(self.database, jobs, self.id)
            if due is None or due > now:
                return
            for job in jobs:
                job.run(JobRun(self.database, self.id, now))

    def wait(self, seconds: int) -> None:
        """Let real time pass (leases, rests), then do what is due."""
        clock = self.database.clock
        assert isinstance(clock, MovableClock)
        clock.waited += timedelta(seconds=seconds)
        self.run()

    def advance(self, to: str) -> None:
        """Move the clock from due instant to due instant, as the gateway's simulation does."""
        target = as_utc(datetime.fromisoformat(to))
        self.run()
        while (due := next_due(self.database, self.jobs(), self.id)) is not None and self.now() < due <= target:
            self._set_clock(due)
            self.run()
        self._set_clock(target)

    def _set_clock(self, instant: datetime) -> None:
        version = self.next_version("clock") + 1
        self.tell(ClockAdvanced(organization_id=self.id, now=instant, clock_version=version))

    def messages(self, name: str) -> list[dict[str, Any]]:
        """Bodies of the messages of a type, in order."""
        return _bodies(self, name)

    def published(self, name: str) -> int:
        """How many messages of a type the organisation's work has written."""
        with self.database.system_session() as session:
            table = outbox_table
            found = select(func.count()).where(table.c.organization_id == self.id, table.c.type == name)
            return int(session.scalar(found) or 0)


def _bodies(house: House, name: str) -> list[dict[str, Any]]:
    with house.database.system_session() as session:
        table = outbox_table
        found = select(table.c.body).where(table.c.organization_id == house.id, table.c.type == name)
        return [json.loads(body) for body in session.scalars(found.order_by(table.c.seq))]


def make_house(app: Any, sign_in: Callable[..., ApiClient], *, mode: str = "rehearsal") -> House:
    """A fresh organisation with a member, its sandbox connected when it is a rehearsal."""
    clock = {"clock_now": START} if mode == "rehearsal" else {}
    organization_id = add_organization(app.extensions["database"], mode=mode, **clock)
    house = House(app, organization_id, sign_in(app, organization_id), sign_in(app, None), "", mode)
    house.organization_changed()
    house.member = house.add_member()
    return house
