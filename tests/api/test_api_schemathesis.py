"""Schemathesis against every service's own document: nothing undocumented, nothing malformed, no 5xx."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from operations import with_ids
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tenants import Tenant

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("without_commit")]
SERVICES = ("members", "catalog", "booking", "invoicing", "payments", "notifications")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Good requests and bad ones, per route; DESKLEDGER_FUZZ=10 looks ten times as deep.
DEPTH = int(os.environ.get("DESKLEDGER_FUZZ", "1"))
EXAMPLES = {GenerationMode.POSITIVE: 6 * DEPTH, GenerationMode.NEGATIVE: 3 * DEPTH}
PROBLEM = {"type", "title", "status", "detail", "code", "errors", "trace_id"}
# A real run works in transactions of its own, which cannot see what is rolled back here; its own tests cover that.
RUNS = "/v1/billing-runs"


@pytest.mark.parametrize("mode", EXAMPLES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_as_documented(suite: Any, ours: Tenant, service: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", suite.apps[service])
    faults = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found.err()
        faults += _faults(found.ok(), ours, mode)
    assert not faults, "\n\n".join(faults)


def _faults(operation: Any, tenant: Tenant, mode: GenerationMode) -> list[str]:
    @settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_real=st.integers(0, 3).map(bool))
    def try_operation(case: Any, is_real: bool) -> None:
        if is_real:
            _name_real_things(case, tenant)
        if operation.path == RUNS and isinstance(case.body, dict) and case.body.get("dry_run", False) is False:
            case.body["dry_run"] = True
        headers = {"Authorization": f"Bearer {tenant.tokens['owner']}"}
        answer = case.call(headers=headers)
        try:
            case.validate_response(answer, checks=CHECKS)
            check_answer(answer, operation)
        except (FailureGroup, AssertionError) as failure:
            raise AssertionError(f"{_told(failure)} after {case.formatted_path} {case.query} {case.body}") from failure

    try:
        try_operation()
    except AssertionError as failure:
        return [f"{operation.label}: {failure}"]
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "only good requests can always be made"
    return []


def _told(failure: BaseException) -> str:
    parts = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
    return "; ".join(re.sub(r"\s+", " ", str(part))[:600] for part in parts)


def _name_real_things(case: Any, tenant: Tenant) -> None:
    """Path, query and body with ids that there are, and the organisation's currency."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = tenant.ids.get(name, case.path_parameters[name])
    if isinstance(case.body, dict | list):
        case.body = _in_euros(with_ids(case.body, tenant.by_prefix))
    if case.query:
        case.query = with_ids(dict(case.query), tenant.by_prefix)


def _in_euros(value: Any) -> Any:
    """Any other currency is refused before anything else is looked at (MON-1)."""
    if isinstance(value, dict):
        return {name: "EUR" if name == "currency" else _in_euros(part) for name, part in value.items()}
    return [_in_euros(part) for part in value] if isinstance(value, list) else value


def check_answer(answer: Any, operation: Any) -> None:
    """Problems are whole, and a success is one that the document names."""
    if answer.status_code >= 400:
        assert answer.headers["content-type"][0] == "application/problem+json", answer.status_code
        assert set(answer.json()) >= PROBLEM, answer.text
        assert answer.json()["status"] == answer.status_code
    else:
        assert str(answer.status_code) in operation.definition.raw["responses"], answer.status_code
