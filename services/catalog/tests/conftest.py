"""What the catalog's tests share: its app on a database of its own, an owner, and things on sale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from catalog.service import SERVICE
from common.db.plumbing import outbox_table
from common.testing.plugin import ApiClient, add_organization


@pytest.fixture(scope="session")
def catalog_app(service_app: Callable[..., Any]) -> Any:
    """The catalog on a database of its own."""
    return service_app(SERVICE)


@dataclass
class Shop:
    """An organisation in the catalog: its owner's client and short ways to put things on sale."""

    app: Any
    organization_id: UUID
    owner: ApiClient
    sign_in: Callable[..., ApiClient]

    def client(self, role: str, **claims: Any) -> ApiClient:
        """Somebody else of the same organisation."""
        return self.sign_in(self.app, self.organization_id, role, **claims)

    def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST by the owner, which must succeed."""
        answer = self.owner.post(path, body)
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def location(self, **values: Any) -> str:
        """The id of a new location."""
        return str(self.made("/v1/locations", {"name": "Dock 1", **values})["id"])

    def room(self, location_id: str | None = None, **values: Any) -> dict[str, Any]:
        """A new meeting room."""
        body = {"name": "Blue Room", "type": "meeting_room", "location_id": location_id or self.location()}
        return self.made("/v1/resources", {**body, **values})

    def rate(self, **values: Any) -> dict[str, Any]:
        """A new hourly rate."""
        return self.made("/v1/resource-rates", {"name": "Rooms", "prices": [hourly(1500)], **values})

    def plan(self, **values: Any) -> dict[str, Any]:
        """A new monthly plan."""
        return self.made("/v1/plans", {"name": "Flex desk", "kind": "recurring", "price": euros(30000), **values})

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of the organisation's messages of a type, in order."""
        table = outbox_table
        statement = select(table.c.body).where(table.c.organization_id == self.organization_id, table.c.type == kind)
        with self.app.extensions["database"].system_session() as session:
            return [msgspec.json.decode(body) for body in session.scalars(statement.order_by(table.c.seq))]


@pytest.fixture
def open_shop(catalog_app: Any, sign_in: Callable[..., ApiClient]) -> Callable[..., Shop]:
    """Make organisations: ``open_shop(currency="CHF")``."""

    def make(**values: Any) -> Shop:
        organization_id = add_organization(catalog_app.extensions["database"], **values)
        return Shop(catalog_app, organization_id, sign_in(catalog_app, organization_id), sign_in)

    return make


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """An organisation that sells in euros."""
    return open_shop()


def euros(amount_minor: int) -> dict[str, Any]:
    """An amount as the API has it."""
    return {"amount_minor": amount_minor, "currency": "EUR"}


def hourly(amount_minor: int, **values: Any) -> dict[str, Any]:
    """An hourly price."""
    return {"unit": "hour", "price": euros(amount_minor), **values}
