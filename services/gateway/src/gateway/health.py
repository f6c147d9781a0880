"""``/livez``, ``/readyz`` and ``/metrics`` of the whole installation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask, Response

from common.errors import DomainError
from common.http.problems import problem
from common.telemetry.metrics import render_metrics
from gateway.config import SERVICES
from gateway.upstreams import Upstreams

_TIMEOUT = 3.0


def register_health(app: Flask, upstreams: Upstreams) -> None:
    """Add the three operational paths."""

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive", "service": "gateway"}

    @app.get("/readyz")
    def readyz() -> Response | dict[str, Any]:
        states = _states(upstreams)
        missing = sorted(name for name, state in states.items() if state != "ready")
        if missing:
            detail = f"not ready: {', '.join(missing)}"
            return problem(503, "not_ready", detail, extra={"services": states}, headers={"Retry-After": "1"})
        return {"status": "ready", "service": "gateway", "services": states}

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = render_metrics()
        return Response(body, content_type=content_type)


def _states(upstreams: Upstreams) -> dict[str, str]:
    # The portal is not asked: it waits for the gateway when it starts.
    names = [name for name in SERVICES if name in upstreams]
    if not names:
        return {}
    with ThreadPoolExecutor(len(names)) as threads:
        return dict(zip(names, threads.map(lambda name: _state(upstreams, name), names), strict=True))


def _state(upstreams: Upstreams, name: str) -> str:
    try:
        answer = upstreams.call(name, "GET", "/readyz", {}, timeout=_TIMEOUT)
        answer.read()
    except DomainError:
        return "unreachable"
    return "ready" if answer.status == 200 else "not ready"
