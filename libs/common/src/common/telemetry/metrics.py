"""Prometheus metrics, right also with several gunicorn workers (multiprocess mode when a folder is set)."""

from __future__ import annotations

import os
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("deskledger_http_requests_total", "HTTP requests", ["service", "method", "route", "status"])
SECONDS = Histogram(
    "deskledger_http_request_seconds",
    "Time to answer",
    ["service", "method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


# Anybody can make up methods, and each would be a time series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; made-up methods count together."""
    counter, histogram = _kept(service, method if method in _METHODS else "OTHER", route, status)
    counter.inc()
    histogram.observe(seconds)


@cache
def _kept(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(service, method, route, str(status)), SECONDS.labels(service, method, route)


def render_metrics() -> tuple[bytes, str]:
    """The exposition text and its content type; sums over processes in multiprocess mode."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
