"""The message door: locations come in, in any order; what goes out can be read by the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from common.clock import SystemClock
from common.db import Database
from common.ids import new_id
from common.messaging import Consumer, Envelope, Message
from common.testing.plugin import add_organization
from contracts.catalog import LocationChanged
from contracts.members import CompanyChanged, MemberChanged
from contracts.subscriptions import routing_keys
from members.messages.publishes import company_changed, member_changed
from members.models import Company, LocationCopy, Member
from members.service import SERVICE


@pytest.fixture
def database(members_app: Any) -> Database:
    """The service's database."""
    return members_app.extensions["database"]  # type: ignore[no-any-return]


def envelope(message: Message, organization_id: UUID, created_at: datetime) -> Envelope:
    """A message as it arrives."""
    return Envelope(
        message_id=new_id(),
        type=message.name,
        version=message.major,
        routing_key=message.routing_key(),
        body=message.encode(),
        created_at=created_at,
        producer=message.service,
        organization_id=organization_id,
    )


def test_the_service_handles_exactly_what_its_queue_is_bound_to() -> None:
    assert SERVICE.handlers.routing_keys() == sorted(routing_keys("members"))


def test_locations_in_any_order_and_twice_leave_the_newest_state(database: Database) -> None:
    organization_id, location_id = add_organization(database), new_id()
    consumer, now = Consumer(SERVICE.name, database, SERVICE.handlers), SystemClock().now()
    states = [
        LocationChanged(location_id=location_id, display_name=name, timezone="Europe/Berlin", version=version)
        for version, name in ((2, "Dock Two"), (1, "Dock One"), (3, "Dock Three"))
    ]
    for state in states:
        arrived = envelope(state, organization_id, now)
        consumer.handle(arrived)
        consumer.handle(arrived)
        consumer.handle(replace(arrived, message_id=new_id()))
    with database.session(organization_id) as session:
        copy = session.get(LocationCopy, location_id)
        assert copy is not None
        assert (copy.name, copy.version) == ("Dock Three", 3)


@pytest.mark.parametrize("kind", [Member, Company])
def test_announcements_survive_the_wire(kind: type[Member] | type[Company]) -> None:
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "Example",
        "billing": {"tax_percent": "7.5", "tax_category": "S", "address": {"city": "Hamburg"}},
        "auto_collect": False,
        "reminders": True,
        "status": "active",
        "version": 3,
    }
    build: Callable[[Any], MemberChanged | CompanyChanged]
    if kind is Member:
        build, values = member_changed, {**values, "is_billing_person": True, "is_contact_person": False}
    else:
        build = company_changed
    message = build(kind(**values))
    assert type(message).decode(message.encode()) == message
    assert message.billing.tax_percent == Decimal("7.5")
