"""What is told about every answered request: a line in the log, and the name and outcome of its span."""

from __future__ import annotations

import structlog

from common.telemetry.spans import Span

logger = structlog.get_logger(__name__)
_ASKED_ALL_THE_TIME = frozenset({"/livez", "/readyz", "/metrics", "/internal/settlement"})


def note_request(running: Span | None, method: str, route: str, status: int, seconds: float) -> None:
    """Note an answer. ``route`` is the template and never the path or query, which may hold what nobody should read."""
    if running is not None:
        running.rename(f"{method} {route}")
        running.note({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            running.fail(str(status))
    # Without configured logs (a test, a benchmark) nobody reads along.
    if route not in _ASKED_ALL_THE_TIME and structlog.is_configured():
        logger.info("http_request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
