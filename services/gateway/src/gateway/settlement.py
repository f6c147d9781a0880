"""Asking services what has arrived and what is outstanding (``POST /internal/settlement``)."""

from __future__ import annotations

import json
from typing import Any

from common.errors import UnavailableError
from common.http.internal import INTERNAL_HEADER
from common.telemetry import current_trace
from contracts.subscriptions import SUBSCRIPTIONS
from gateway.headers import trace_headers
from gateway.upstreams import Answer, Upstreams

_TIMEOUT = 5.0


class InternalCalls:
    """Calls to paths that only the gateway may use."""

    def __init__(self, upstreams: Upstreams, internal_token: str) -> None:
        self.upstreams, self._token = upstreams, internal_token

    def call(self, service: str, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Ask a service. Raises UnavailableError or GatewayTimeoutError."""
        headers = {INTERNAL_HEADER: self._token, **trace_headers(current_trace())}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return self.upstreams.call(service, method, path, headers, content, _TIMEOUT)


class SettlementReports:
    """Each service's side of the story."""

    def __init__(self, calls: InternalCalls) -> None:
        self._calls = calls

    def knows(self, name: str) -> bool:
        """Whether a service is part of this installation."""
        return name in self._calls.upstreams

    def services(self) -> list[str]:
        """All services that publish or consume."""
        return [name for name in SUBSCRIPTIONS if self.knows(name)]

    def ask(self, service: str, question: dict[str, Any]) -> dict[str, Any]:
        """A service's report, as `common.http.internal.report` makes it. Raises UnavailableError when there is none."""
        answer = self._calls.call(service, "POST", "/internal/settlement", question)
        if answer.status != 200:
            raise UnavailableError(
                "service_unavailable",
                f"{service} does not report its messages (status {answer.status})",
                extra={"service": service},
            )
        report: dict[str, Any] = answer.json()
        return report
