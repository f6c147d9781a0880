"""What the tests of the members service share: an app with a signing key, and organisations signed up over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from common.http.audit_log import find_entries
from common.testing.plugin import ApiClient
from members.service import SERVICE

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def members_app(service_app: Callable[..., Any]) -> Any:
    """The members service on a database of its own, prepared as after a migration."""
    app = service_app(SERVICE, sign_in_attempts=5)
    SERVICE.prepare(app.extensions["database"], app.extensions["settings"])
    return app


@pytest.fixture
def visitor(members_app: Any) -> ApiClient:
    """Somebody who is not signed in."""
    return ApiClient(members_app.test_client(), None)


def _sign_up_body(**values: Any) -> dict[str, Any]:
    return {
        "name": "Harbour Works",
        "slug": f"harbour-{secrets.token_hex(4)}",
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "mode": "rehearsal",
        "clock": "2027-02-01T08:00:00Z",
        "owner": {"name": "Example Owner", "email": "owner@harbour.example", "password": PASSWORD},
        **values,
    }


@pytest.fixture
def sign_up_body() -> Callable[..., dict[str, Any]]:
    """Build what the story sends to sign up, under a slug of its own."""
    return _sign_up_body


@pytest.fixture
def signed_up(members_app: Any, visitor: ApiClient) -> Callable[..., Any]:
    """Sign an organisation up; returns (ApiClient of its owner, the answer's body)."""

    def make(**values: Any) -> tuple[ApiClient, dict[str, Any]]:
        answer = visitor.post("/v1/organizations", _sign_up_body(**values))
        assert answer.status_code == 201, answer.json
        return ApiClient(members_app.test_client(), answer.json["access_token"]), answer.json

    return make


@pytest.fixture
def audit_log(members_app: Any) -> Callable[..., list[dict[str, Any]]]:
    """``audit_log(organization_id, subject=…)``: what this service adds to the audit log, newest first."""

    def read(organization_id: UUID, **filters: str) -> list[dict[str, Any]]:
        asked = {"organization_id": str(organization_id), "limit": 50, **filters}
        return find_entries(members_app.extensions["database"], "members", asked)

    return read
