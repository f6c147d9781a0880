"""All services by name, each behind its breaker; failures become problems that say which service is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from prometheus_client import Counter

from common.errors import DomainError, UnavailableError
from gateway.upstreams.breaker import Breaker
from gateway.upstreams.port import Answer, Upstream, UpstreamDownError, UpstreamTimeoutError
from gateway.upstreams.wsgi import WsgiUpstream

logger = structlog.get_logger(__name__)
FAILURES = Counter("deskledger_upstream_failures_total", "Requests that a service did not answer", ["upstream", "kind"])


class GatewayTimeoutError(DomainError):
    """504: a service took the request and did not answer in time."""

    status = 504


class Upstreams:
    """The services that this gateway knows. The mapping is read at each call, so parts may join it later."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._breakers: dict[str, Breaker] = {}
        self._wrapped: dict[str, Upstream] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))

    def call(
        self,
        name: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        """Ask a service. Raises UnavailableError (503 with Retry-After) or GatewayTimeoutError (504)."""
        if name not in self._known:
            raise UnavailableError(
                "service_unavailable", f"{name} is not part of this installation", extra={"service": name}
            )
        breaker = self._breakers.setdefault(name, Breaker())
        wait = breaker.seconds_to_wait()
        if wait:
            raise _unavailable(name, wait)
        try:
            answer = self._upstream(name).request(method, path, headers, body, timeout)
        except UpstreamDownError as error:
            breaker.failed()
            raise _problem(name, error) from error
        breaker.succeeded()
        return answer

    def _upstream(self, name: str) -> Upstream:
        known = self._known[name]
        if hasattr(known, "request"):
            upstream: Upstream = known
            return upstream
        return self._wrapped.setdefault(name, WsgiUpstream(name, known))


def _problem(name: str, error: UpstreamDownError) -> DomainError:
    kind = "timeout" if isinstance(error, UpstreamTimeoutError) else "down"
    FAILURES.labels(name, kind).inc()
    logger.warning("upstream_failed", upstream=name, kind=kind, error=str(error))
    if kind == "timeout":
        detail = f"{name} did not answer in time; whether the request took effect is not known"
        return GatewayTimeoutError("service_timeout", detail, extra={"service": name})
    return _unavailable(name, 1.0)


def _unavailable(name: str, wait: float) -> UnavailableError:
    return UnavailableError(
        "service_unavailable",
        f"{name} cannot be reached just now; everything else goes on",
        headers={"Retry-After": str(math.ceil(wait))},
        extra={"service": name},
    )
