"""A notifications service on a database of its own, and messages as the others send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from common.db import Database
from common.ids import new_id
from common.messaging import Consumer, Envelope
from common.messaging.consumer import Outcome
from common.messaging.message import Message
from common.testing.plugin import add_organization
from contracts.subscriptions import MESSAGES
from notifications.service import SERVICE

EXAMPLES = Path(__file__).parents[3] / "libs" / "contracts" / "examples"
CLOCK = datetime(2027, 2, 12, 8, 0, tzinfo=UTC)


class Post:
    """Sends messages to the service, as their producers would, and reads what it wrote."""

    def __init__(self, database: Database, organization_id: UUID) -> None:
        self.database, self.organization_id = database, organization_id
        self.consumer = Consumer(SERVICE.name, database, SERVICE.handlers)

    def send(self, message: Message, message_id: UUID | None = None) -> Outcome:
        """Hand a message over."""
        return self.consumer.handle(self.envelope(message, message_id))

    def envelope(self, message: Message, message_id: UUID | None = None) -> Envelope:
        """A message in transit."""
        return Envelope(
            message_id=message_id or new_id(),
            type=message.name,
            version=message.major,
            routing_key=message.routing_key(),
            body=message.encode(),
            created_at=self.database.clock.now(),
            producer=message.service,
            organization_id=self.organization_id,
        )

    def rows(self, kind: Any, *conditions: Any) -> list[Any]:
        """Rows of this organisation, oldest first."""
        with self.database.session(self.organization_id) as session:
            return list(session.scalars(select(kind).where(*conditions).order_by(kind.id)))

    def update(self, kind: Any, row_id: UUID, **values: Any) -> None:
        """Change a row behind the service's back."""
        with self.database.session(self.organization_id) as session:
            row = session.get_one(kind, row_id)
            for name, value in values.items():
                setattr(row, name, value)
            session.commit()


def example(name: str, **changes: Any) -> Any:
    """The golden example of a message with some fields changed (JSON types)."""
    message_type = next(kind for kind in MESSAGES if kind.name == name)
    body = json.loads((EXAMPLES / f"{message_type.routing_key()}.json").read_text())
    return message_type.decode(json.dumps({**body, **changes}).encode())


@pytest.fixture(name="example")
def example_fixture() -> Callable[..., Any]:
    """``example("invoice-sent", number="INV-1")``."""
    return example


@pytest.fixture(scope="session")
def notifications_database(make_database: Callable[[str, Path], Database]) -> Database:
    """The service's migrated database."""
    return make_database(SERVICE.name, SERVICE.migrations)


@pytest.fixture
def rehearsal(notifications_database: Database) -> Post:
    """A fresh rehearsal organisation whose clock stands on 12 February 2027."""
    organization_id = add_organization(
        notifications_database, mode="rehearsal", clock_now=CLOCK, profile={"email": "desk@harbour.example"}
    )
    return Post(notifications_database, organization_id)


@pytest.fixture
def live(notifications_database: Database) -> Post:
    """A fresh live organisation."""
    profile = {"email": "desk@harbour.example"}
    return Post(notifications_database, add_organization(notifications_database, profile=profile))


@pytest.fixture(scope="session")
def notifications_app(service_app: Callable[..., Any], notifications_database: Database) -> Any:
    """The service's web app on the same database."""
    return service_app(SERVICE, notifications_database)
