"""Who may call which route: the answers agree with ``x-roles`` of the documents (and docs/api/routes-and-roles.md)."""

from __future__ import annotations

from typing import Any

import pytest
from operations import Operation, send
from tenants import ROLES, Tenant

pytestmark = pytest.mark.timeout(240)
UNKNOWN = "0192f0c8a1b27def8a3b0c1d2e3f4a5b"


def unknown_ids(tenant: Tenant) -> dict[str, str]:
    """Ids of the right form that nobody has: a call that is let in finds nothing to harm."""
    return {name: f"{value[:4]}{UNKNOWN}" if value[3:4] == "_" else value for name, value in tenant.ids.items()}


def refused_by_role(answer: Any) -> bool:
    """403 from the guard of the route, not from the use case."""
    return answer.status_code == 403 and "the role" in answer.json["detail"]


@pytest.mark.parametrize("role", ROLES)
def test_every_route_refuses_exactly_the_roles_that_its_document_does_not_name(
    role: str, routes: list[tuple[Any, Operation]], theirs: Tenant
) -> None:
    faults = []
    for app, route in routes:
        answer = send(app, route, unknown_ids(theirs), theirs.tokens[role], json={"surprise": role})
        allowed = not route.roles or role in route.roles
        if refused_by_role(answer) is allowed or answer.status_code >= 500 or (allowed and answer.status_code == 401):
            faults.append(f"{route} as {role}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults)


def test_every_route_wants_a_token_unless_it_is_public(routes: list[tuple[Any, Operation]], theirs: Tenant) -> None:
    faults = []
    for app, route in routes:
        answer = send(app, route, unknown_ids(theirs), None, json={"surprise": 1})
        wanted = answer.status_code == 401 and answer.json["code"] == "unauthenticated"
        if wanted is not bool(route.roles) or answer.status_code >= 500:
            faults.append(f"{route} without a token: {answer.status_code} {answer.text[:200]}")
        if wanted and "WWW-Authenticate" not in answer.headers:
            faults.append(f"{route}: no challenge")
    assert not faults, "\n".join(faults)


def test_garbage_in_place_of_a_token_is_refused_everywhere(routes: list[tuple[Any, Operation]], theirs: Tenant) -> None:
    answers = {str(route): send(app, route, unknown_ids(theirs), "garbage") for app, route in routes}
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}


def test_the_public_routes_are_these(routes: list[tuple[Any, Operation]]) -> None:
    """Opening a route to everybody is a decision: whoever takes it changes this list, too."""
    assert sorted(f"{route.method} {route.path}" for _, route in routes if not route.roles) == [
        "GET /v1/.well-known/jwks.json",
        "GET /v1/calendars/{secret}.ics",
        "GET /v1/payments/{payment_id}/action",
        "GET /v1/resources/{resource_id}/pictures/{picture_id}",
        "GET /v1/storefront/{slug}",
        "GET /v1/storefront/{slug}/availability",
        "GET /v1/storefront/{slug}/catalog",
        "GET /v1/storefront/{slug}/checkouts/{checkout_id}",
        "POST /v1/invitations/acceptance",
        "POST /v1/organizations",
        "POST /v1/payments/{payment_id}/action",
        "POST /v1/sign-in-links",
        "POST /v1/storefront/{slug}/checkouts",
        "POST /v1/storefront/{slug}/checkouts/{checkout_id}/payment",
        "POST /v1/storefront/{slug}/quote",
        "POST /v1/tokens",
        "POST /v1/tokens/revocation",
        "POST /v1/webhooks/{gateway_id}",
    ]
