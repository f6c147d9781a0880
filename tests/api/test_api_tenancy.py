"""No route of any service shows or changes another organisation's things (ARCHITECTURE, section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from operations import Operation, planted, send
from sqlalchemy import text
from tenants import Tenant

from common.db import Database

pytestmark = pytest.mark.timeout(240)
# Words in paths that are no ids of anybody's: every organisation has the same.
WORDS = ("event", "language")
# Public by design: who knows the address (a secret, an id that cannot be guessed, a published name) may see it.
OPEN = {
    "GET /v1/calendars/{secret}.ics",
    "GET /v1/resources/{resource_id}/pictures/{picture_id}",
    "GET /v1/storefront/{slug}",
    "GET /v1/storefront/{slug}/availability",
    "GET /v1/storefront/{slug}/catalog",
    "GET /v1/storefront/{slug}/checkouts/{checkout_id}",
    "GET /v1/payments/{payment_id}/action",
    "POST /v1/payments/{payment_id}/action",
    "POST /v1/storefront/{slug}/checkouts",
    "POST /v1/storefront/{slug}/checkouts/{checkout_id}/payment",
    "POST /v1/storefront/{slug}/quote",
    "POST /v1/webhooks/{gateway_id}",
}
# Catalog keeps no people: a rate's conditions may name anybody, and hold for nobody who is not a member here.
UNCHECKED = {("/v1/resource-rates", "conditions"), ("/v1/resource-rates/{rate_id}", "conditions")}
_OWN_TABLES = (
    "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = "
    "'organization_id' AND table_name NOT IN ('outbox', 'inbox', 'dead_letter') ORDER BY 1"
)


@pytest.fixture(scope="session")
def secrets_of_ours(suite: Any, ours: Tenant) -> re.Pattern[str]:
    """What must never be in an answer to somebody else: every id of organisation A, and its name."""
    organization_id = ours.by_prefix["org"].removeprefix("org_")
    found = {organization_id, ours.organization["slug"].replace("-", "")}
    for database in suite.databases.values():
        found |= {value.hex for value in _ids_of(database, UUID(organization_id))}
    assert len(found) > 50
    return re.compile("|".join(found))


def _ids_of(database: Database, organization_id: UUID) -> Iterator[UUID]:
    with database.session(organization_id) as session:
        for table in session.scalars(text(_OWN_TABLES)).all():
            columns = "SELECT column_name FROM information_schema.columns WHERE table_name = :t AND column_name = 'id'"
            if session.scalar(text(columns), {"t": table}):
                yield from session.scalars(text(f"SELECT id FROM {table}"))


def contents(suite: Any, tenant: Tenant) -> dict[str, str]:
    """A fingerprint of every table as far as it belongs to an organisation."""
    found = {}
    for name, database in suite.databases.items():
        with database.session(UUID(tenant.by_prefix["org"].removeprefix("org_"))) as session:
            for table in session.scalars(text(_OWN_TABLES)).all():
                statement = f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
                found[f"{name}.{table}"] = session.scalar(text(statement))
    return found


def shows(answer: Any, secrets: re.Pattern[str], sent: str) -> list[str]:
    """Secrets in an answer that the caller did not send along."""
    told = answer.get_data().decode(errors="replace").replace("-", "")
    return [each for each in set(secrets.findall(told)) if each not in sent.replace("-", "")]


def test_ids_in_paths_of_another_organisation_are_not_found(
    suite: Any, routes: list[tuple[Any, Operation]], ours: Tenant, theirs: Tenant, secrets_of_ours: re.Pattern[str]
) -> None:
    before, faults = contents(suite, ours), []
    for app, route in routes:
        named = [name for name in route.path_names if name not in WORDS]
        if not named or f"{route.method} {route.path}" in OPEN:
            continue
        answer = send(app, route, ours.ids, theirs.tokens["owner"], **route.request(theirs.by_prefix))
        if answer.status_code != 404 or shows(answer, secrets_of_ours, str(ours.ids)):
            faults.append(f"{route}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)
    assert contents(suite, ours) == before


@pytest.mark.usefixtures("without_commit")
def test_a_second_id_in_a_path_must_belong_to_the_first(
    routes: list[tuple[Any, Operation]], ours: Tenant, theirs: Tenant
) -> None:
    """`/v1/webhook-endpoints/{mine}/deliveries/{yours}`."""
    faults = []
    for app, route in routes:
        named = [name for name in route.path_names if name not in WORDS]
        for name in named[1:] if f"{route.method} {route.path}" not in OPEN else ():
            ids = {**theirs.ids, name: ours.ids[name]}
            answer = send(app, route, ids, theirs.tokens["owner"], **route.request(theirs.by_prefix))
            if answer.status_code != 404:
                faults.append(f"{route} with another's {name}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)


def test_lists_filtered_by_ids_of_another_organisation_are_empty(
    routes: list[tuple[Any, Operation]], ours: Tenant, theirs: Tenant, secrets_of_ours: re.Pattern[str]
) -> None:
    faults, asked = [], 0
    for app, route in routes:
        for name, prefix in route.id_filters.items() if route.roles and not route.path_names else ():
            query = {name: ours.by_prefix.get(prefix, "")} if prefix in ours.by_prefix else {}
            answer = send(app, route, theirs.ids, theirs.tokens["owner"], query_string=query)
            items = answer.json.get("items", []) if answer.status_code == 200 else []
            asked += bool(query)
            if answer.status_code >= 500 or (query and items) or shows(answer, secrets_of_ours, str(query)):
                faults.append(f"{route} with {query}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)
    assert asked > 30


@pytest.mark.usefixtures("without_commit")
def test_ids_in_bodies_of_another_organisation_are_refused(
    routes: list[tuple[Any, Operation]], ours: Tenant, theirs: Tenant, secrets_of_ours: re.Pattern[str]
) -> None:
    """One foreign id at a time in a body that is otherwise good."""
    faults, asked = [], 0
    for app, route in routes:
        for way, prefix in route.body_ids() if route.roles else ():
            if prefix not in ours.by_prefix or (route.path, way[0]) in UNCHECKED:
                continue
            body = planted(route.body(theirs.by_prefix), way, ours.by_prefix[prefix])
            answer = send(app, route, theirs.ids, theirs.tokens["owner"], json=body)
            asked += 1
            if not _is_refusal(answer) or shows(answer, secrets_of_ours, str(body)):
                faults.append(f"{route} {'/'.join(map(str, way))}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)
    assert asked > 40


def _is_refusal(answer: Any) -> bool:
    return answer.status_code in (404, 403, 409, 422)


@pytest.mark.usefixtures("without_commit")
def test_the_same_requests_with_ones_own_ids_are_let_in(routes: list[tuple[Any, Operation]], ours: Tenant) -> None:
    """The other tests would prove nothing if their requests failed for another reason than whose things they name."""
    faults = []
    for app, route in routes:
        if not route.roles:
            continue
        answer = send(app, route, ours.ids, ours.tokens["owner"], **route.request(ours.by_prefix))
        if answer.status_code >= 500 or answer.status_code in (400, 401, 403, 404, 415, 422):
            faults.append(f"{route} {route.request(ours.by_prefix)}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)


def test_lists_and_pages_without_ids_show_nothing_of_another_organisation(
    routes: list[tuple[Any, Operation]], theirs: Tenant, secrets_of_ours: re.Pattern[str]
) -> None:
    faults = []
    for app, route in routes:
        if route.method == "GET" and not route.path_names:
            answer = send(app, route, {}, theirs.tokens["owner"], query_string={"limit": 200})
            if answer.status_code >= 500 or shows(answer, secrets_of_ours, ""):
                faults.append(f"{route}: {answer.status_code} {answer.get_data()[:300]!r}")
    assert not faults, "\n".join(faults)
