"""Which pages of other origins may call the API from a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-Match, Prefer, X-Request-Id",
    ),
    ("Access-Control-Max-Age", "600"),
]
_SHOWN = "ETag, Idempotent-Replayed, Location, Retry-After, X-Request-Id"


class CrossOrigin:
    """Origins from the settings: comma separated, or ``*``. No cookies: callers send their token themselves."""

    def __init__(self, origins: str) -> None:
        self._origins = frozenset(part.strip().rstrip("/") for part in origins.split(",") if part.strip())

    def headers(self, environ: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the browser needs to let the page have the answer."""
        if not self._origins:
            return []
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or not ("*" in self._origins or origin in self._origins):
            return [("Vary", "Origin")]
        allowed = [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", "*" if "*" in self._origins else origin),
            ("Access-Control-Expose-Headers", _SHOWN),
        ]
        return allowed + _PREFLIGHT if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ else allowed
