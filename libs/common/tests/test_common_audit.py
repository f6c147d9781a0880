"""The audit log at the HTTP door, seen in the catalog: one entry per change, in its transaction, without secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, Response, g, request

from catalog.service import SERVICE
from common import audit
from common.auth import Principal, Role
from common.db import Database
from common.http import audited
from common.http.audit_log import find_entries
from common.http.audited import changes_nothing, record_change, without_secrets
from common.http.internal import INTERNAL_HEADER
from common.http.work import current_request
from common.testing.plugin import INTERNAL_TOKEN, ApiClient, add_organization

LOCATION = {
    "name": "Dock 1",
    "code": "D1",
    "timezone": "Europe/Berlin",
    "opening_hours": {"mon": [["08:00", "18:00"]]},
}


@pytest.fixture(scope="module")
def catalog(service_app: Callable[..., Any]) -> Any:
    return service_app(SERVICE)


@pytest.fixture
def organization_id(catalog: Any) -> UUID:
    return add_organization(catalog.extensions["database"])


@pytest.fixture
def owner(catalog: Any, organization_id: UUID, sign_in: Callable[..., ApiClient]) -> ApiClient:
    return sign_in(catalog, organization_id)


def log_of(app: Any, organization_id: UUID, **asked: Any) -> list[dict[str, Any]]:
    """The service's entries, newest first."""
    question = {"organization_id": str(organization_id), "limit": 50, **asked}
    return find_entries(app.extensions["database"], "catalog", question)


def test_a_change_leaves_one_entry_with_actor_role_address_subject_and_changes(
    catalog: Any, organization_id: UUID, owner: ApiClient
) -> None:
    made = owner.post("/v1/locations", LOCATION, headers={"X-Forwarded-For": "192.0.2.7"})
    assert made.status_code == 201, made.json
    changed = owner.patch(f"/v1/locations/{made.json['id']}", {"name": "Dock 2"})
    assert changed.status_code == 200
    newer, older = log_of(catalog, organization_id)
    assert (older["action"], older["subject"]) == ("POST /v1/locations", made.json["id"])
    assert (older["actor"], older["actor_role"]) == (f"usr_{organization_id.hex}", "owner")
    assert (older["address"], older["changes"]["name"]) == ("192.0.2.7", "Dock 1")
    assert (newer["action"], newer["changes"]) == ("PATCH /v1/locations/{location_id}", {"name": "Dock 2"})
    assert newer["subject"] == made.json["id"]
    assert log_of(catalog, organization_id, subject=made.json["id"], action="POST /v1/locations") == [older]
    assert log_of(catalog, organization_id, before=[newer["at"], str(UUID(hex=newer["id"][4:]))]) == [older]


def test_reads_refusals_and_replays_leave_no_entry(catalog: Any, organization_id: UUID, owner: ApiClient) -> None:
    headers = {"Idempotency-Key": "once"}
    for _ in range(3):
        assert owner.post("/v1/locations", LOCATION, headers=headers).status_code == 201
    assert owner.post("/v1/locations", {"surprise": 1}).status_code == 422
    assert owner.get("/v1/locations").status_code == 200
    assert owner.patch(f"/v1/locations/loc_{organization_id.hex}", {"name": "x"}).status_code == 404
    assert len(log_of(catalog, organization_id)) == 1


def test_entries_of_another_organisation_are_not_shown(
    catalog: Any, organization_id: UUID, owner: ApiClient, sign_in: Callable[..., ApiClient]
) -> None:
    owner.post("/v1/locations", LOCATION)
    other = add_organization(catalog.extensions["database"])
    sign_in(catalog, other).post("/v1/locations", LOCATION)
    assert len(log_of(catalog, organization_id)) == len(log_of(catalog, other)) == 1
    assert log_of(catalog, other)[0]["actor"] == f"usr_{other.hex}"


def test_the_internal_path_exists_for_the_gateway_only(catalog: Any, organization_id: UUID, owner: ApiClient) -> None:
    owner.post("/v1/locations", LOCATION)
    asked = {"organization_id": str(organization_id), "limit": 5}
    client = catalog.test_client()
    assert client.post("/internal/audit-log", json=asked).status_code == 404
    answer = client.post("/internal/audit-log", json=asked, headers={INTERNAL_HEADER: INTERNAL_TOKEN})
    assert [item["service"] for item in answer.json["items"]] == ["catalog"]


def test_secrets_addresses_and_bulk_do_not_reach_the_log() -> None:
    body = {
        "name": "Stripe",
        "credentials": {"secret_key": "sk_test_1"},
        "customer": {"name": "Ada", "email": "ada@example.com", "tags": list(range(100))},
        "note": "write to ada@example.com " + "x" * 500,
        "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}},
        "new_password": "hunter2",
    }
    kept = without_secrets(body)
    text = str(kept)
    assert all(secret not in text for secret in ("sk_test_1", "ada@example.com", "hunter2"))
    assert (kept["name"], kept["credentials"], kept["customer"]["name"]) == ("Stripe", "removed", "Ada")
    assert len(kept["customer"]["tags"]) == 20
    assert len(kept["note"]) == 201
    assert "'e'" not in text


@pytest.fixture
def database(catalog: Any) -> Database:
    database: Database = catalog.extensions["database"]
    return database


def recorded(database: Database, organization_id: UUID, view: Any, **sent: Any) -> list[str]:
    """The actions that a request to a stand-in view leaves behind."""
    app = Flask("stand-in")
    app.extensions["database"] = database
    app.add_url_rule("/v1/things/<thing_id>", "thing", view, methods=["POST"])
    with app.test_request_context("/v1/things/thi_1", **{"method": "POST", "json": {}, **sent}):
        g.principal = Principal("usr_1", organization_id, Role.OWNER)
        response = app.make_response(view(**(request.view_args or {})))
        record_change(current_request(), view, response)
        if g.get("session") is not None:
            g.session.commit()
            g.session.close()
    with database.session(organization_id) as session:
        return [entry.action for entry in session.scalars(audit.entries(session))]


def test_an_explicit_entry_takes_the_place_of_the_general_one(database: Database, organization_id: UUID) -> None:
    def view(thing_id: str) -> Response:
        audit.record(audited.current_session(), "thing.painted", thing_id)
        return Response("")

    assert recorded(database, organization_id, view) == ["thing.painted"]


def test_an_explicit_entry_that_was_rolled_back_counts_for_nothing(database: Database, organization_id: UUID) -> None:
    def view(thing_id: str) -> Response:
        session = audited.current_session()
        audit.record(session, "thing.painted", thing_id)
        session.rollback()
        return Response("")

    assert recorded(database, organization_id, view) == ["POST /v1/things/{thing_id}"]


def test_an_explicit_entry_of_an_earlier_transaction_counts(database: Database, organization_id: UUID) -> None:
    def view(thing_id: str) -> Response:
        session = audited.current_session()
        audit.record(session, "thing.painted", thing_id)
        session.commit()
        return Response("")

    assert recorded(database, organization_id, view) == ["thing.painted"]


@pytest.mark.parametrize(
    "sent",
    [{"json": {"dry_run": True}}, {"json": {"preview": True}}, {"query_string": "dry_run=true"}, {"method": "GET"}],
)
def test_a_rehearsed_request_leaves_no_entry(database: Database, organization_id: UUID, sent: dict[str, Any]) -> None:
    def view(thing_id: str = "") -> Response:
        return Response("")

    assert recorded(database, organization_id, view, **sent) == []


def test_a_marked_view_leaves_no_entry(database: Database, organization_id: UUID) -> None:
    @changes_nothing
    def quote(thing_id: str) -> Response:
        return Response("")

    assert recorded(database, organization_id, quote) == []
