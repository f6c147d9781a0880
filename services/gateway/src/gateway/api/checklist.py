"""``GET /v1/setup``: the "Getting paid" checklist, composed from what the services say."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from flask import current_app
from marshmallow import fields

from common.auth.access import STAFF, allow
from common.errors import DomainError
from common.http import Blueprint, StrictSchema
from common.telemetry import current_trace
from gateway.api.callers import caller_headers
from gateway.checklist import ASKED, Facts, checklist
from gateway.headers import trace_headers
from gateway.upstreams import Upstreams

blueprint = Blueprint("setup", __name__, description="From nothing to the first automatic payment")


class StepSchema(StrictSchema):
    """One step of the checklist."""

    id = fields.String(metadata={"example": "payment_gateway"})
    title = fields.String(metadata={"example": "Connect a payment gateway"})
    state = fields.String(metadata={"enum": ["done", "todo", "optional"], "example": "todo"})
    why = fields.String()
    href = fields.String(metadata={"example": "/admin/payment-gateways"})
    problems = fields.List(fields.Dict(), metadata={"description": "code, detail and where to put it right"})


class SetupSchema(StrictSchema):
    """The checklist."""

    steps = fields.List(fields.Nested(StepSchema))


@blueprint.route("/v1/setup", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, SetupSchema)
def read_setup() -> dict[str, Any]:
    """What is done and what is left on the way to the first automatic payment."""
    upstreams: Upstreams = current_app.extensions["upstreams"]
    headers = caller_headers() | trace_headers(current_trace())
    answers: dict[str, Mapping[str, Any] | None] = {}
    silent: set[str] = set()
    with ThreadPoolExecutor(len(ASKED)) as threads:
        asked = {service: threads.submit(copy_context().run, _ask, upstreams, service, headers) for service in ASKED}
    for service, answer in asked.items():
        try:
            answers[service] = answer.result()
        except DomainError:
            silent.add(service)
    return {"steps": checklist(Facts(answers, frozenset(silent)))}


def _ask(upstreams: Upstreams, service: str, headers: Mapping[str, str]) -> Mapping[str, Any] | None:
    """A service's answer; None when it has nothing to say to this (no such path, or not for this role)."""
    answer = upstreams.call(service, "GET", f"/v1/setup/{service}", headers, timeout=5.0)
    if answer.status != 200:
        return None
    found: Mapping[str, Any] = answer.json()
    return found
