"""Whatever is wrong with a request, the answer is problem+json with the right status, on every route (API.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from operations import METHODS, Operation, send
from tenants import Tenant

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("without_commit")]
PROBLEM = {"type", "title", "status", "detail", "code", "errors", "trace_id"}


def is_problem(answer: Any, *statuses: int) -> bool:
    """A whole problem with one of these statuses."""
    whole = answer.content_type == "application/problem+json" and set(answer.json) >= PROBLEM
    return whole and answer.status_code in statuses and answer.json["status"] == answer.status_code


def with_json_body(routes: list[tuple[Any, Operation]]) -> list[tuple[Any, Operation]]:
    """The routes that take a JSON body."""
    found = [
        (app, route)
        for app, route in routes
        if "application/json" in route.document.get("requestBody", {}).get("content", {})
    ]
    assert len(found) > 60
    return found


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        ({"data": b"<xml/>", "content_type": "application/xml"}, (415,)),
        ({"data": b"name=x", "content_type": "application/x-www-form-urlencoded"}, (415,)),
        ({"data": b"{not json", "content_type": "application/json"}, (400,)),
        ({"data": b'{"a": "\xff"}', "content_type": "application/json"}, (400,)),
        ({"json": [1, 2]}, (422,)),
        ({"json": "text"}, (422,)),
        ({"json": {"surprise": 1}}, (422,)),
        ({"json": {"surprise": "\x00"}}, (400, 422)),
        ({"data": b"[" * 100_000, "content_type": "application/json"}, (400,)),
        ({"data": b'{"\\u0061":' * 100_000, "content_type": "application/json"}, (400,)),
        ({"data": b'{"surprise": ' + b"9" * 5000 + b"}", "content_type": "application/json"}, (400,)),
    ],
    ids=[
        "xml",
        "form",
        "broken",
        "not-utf-8",
        "list",
        "text",
        "unknown-field",
        "nul",
        "deep",
        "deep-escaped",
        "digits",
    ],
)
def test_a_body_that_is_none_of_ours_is_refused_on_every_route(
    sent: dict[str, Any], statuses: tuple[int, ...], routes: list[tuple[Any, Operation]], ours: Tenant
) -> None:
    answers = [
        (route, send(app, route, ours.ids, ours.tokens["owner"], **sent)) for app, route in with_json_body(routes)
    ]
    faults = [f"{route}: {a.status_code} {a.text[:200]}" for route, a in answers if not is_problem(a, *statuses)]
    assert not faults, "\n".join(faults)


def test_an_unknown_field_is_named_on_every_route(routes: list[tuple[Any, Operation]], ours: Tenant) -> None:
    faults = []
    for app, route in with_json_body(routes):
        body = {**route.request(ours.by_prefix)["json"], "surprise": 1}
        answer = send(app, route, ours.ids, ours.tokens["owner"], json=body)
        if not is_problem(answer, 422) or "/surprise" not in {each["pointer"] for each in answer.json["errors"]}:
            faults.append(f"{route}: {answer.status_code} {answer.text[:300]}")
    assert not faults, "\n".join(faults)


def test_a_method_that_a_path_does_not_have_is_405_with_those_that_it_has(
    routes: list[tuple[Any, Operation]], ours: Tenant
) -> None:
    methods: dict[tuple[Any, str], set[str]] = {}
    for app, route in routes:
        methods.setdefault((app, route.path), set()).add(route.method)
    faults = []
    for (app, path), known in methods.items():
        one = next(route for each, route in routes if (each, route.path) == (app, path))
        covering = _covering(path, {other for each, other in methods if each is app})
        taken = {method for other in covering for method in methods[(app, other)]}
        for method in {each.upper() for each in METHODS} - known - taken:
            wrong = Operation(one.service, method, path, {}, {})
            answer = send(app, wrong, ours.ids, ours.tokens["owner"])
            if not is_problem(answer, 405) or not known <= set(answer.headers["Allow"].split(", ")):
                faults.append(f"{wrong}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults)


def _covering(path: str, paths: Iterable[str]) -> set[str]:
    """Other paths that take a word of this one for an id, as ``/v1/bookings/{booking_id}`` does ``quote``."""
    return {each for each in paths if each != path and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)}


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/", "/v1/bookings/x/y/z"])
def test_a_path_that_there_is_not_is_404(suite: Any, ours: Tenant, path: str) -> None:
    for app in suite.apps.values():
        answer = app.test_client().get(path, headers={"Authorization": f"Bearer {ours.tokens['owner']}"})
        assert is_problem(answer, 404), answer.text


def test_required_idempotency_keys_are_required(routes: list[tuple[Any, Operation]], ours: Tenant) -> None:
    """Where the document says so; API.md has the list."""
    required, faults = set(), []
    for app, route in routes:
        header = next((p for p in route.document["parameters"] if p["name"] == "Idempotency-Key"), None)
        assert (header is not None) is (route.method == "POST"), str(route)
        if header is not None and header["required"]:
            required.add(route.path)
            headers = {"Authorization": f"Bearer {ours.tokens['owner']}"}
            answer = app.test_client().post(route.filled(ours.ids), headers=headers, json=route.body(ours.by_prefix))
            if not is_problem(answer, 400) or answer.json["code"] != "idempotency_key_missing":
                faults.append(f"{route}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults)
    assert required >= {
        "/v1/bookings",
        "/v1/purchases",
        "/v1/memberships",
        "/v1/fees",
        "/v1/invoices",
        "/v1/invoices/{invoice_id}/credit-notes",
        "/v1/invoices/{invoice_id}/payments",
        "/v1/payments/{payment_id}/refunds",
    }
