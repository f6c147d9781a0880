"""Which pages of other origins may call the API from a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import Headers

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = "Authorization, Content-Type, Idempotency-Key, If-Match, Prefer, X-Request-Id"
_SHOWN = "ETag, Idempotent-Replayed, Location, Retry-After, X-Request-Id"


class CrossOrigin:
    """Origins from the settings: comma separated, or ``*``. No cookies: callers send their token themselves."""

    def __init__(self, origins: str) -> None:
        self._origins = frozenset(part.strip().rstrip("/") for part in origins.split(",") if part.strip())

    def dress(self, environ: Mapping[str, Any], headers: Headers) -> None:
        """Add what the browser needs to let the page have the answer."""
        if not self._origins:
            return
        headers.add("Vary", "Origin")
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or not ("*" in self._origins or origin in self._origins):
            return
        headers["Access-Control-Allow-Origin"] = "*" if "*" in self._origins else origin
        headers["Access-Control-Expose-Headers"] = _SHOWN
        if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            headers["Access-Control-Allow-Methods"] = _METHODS
            headers["Access-Control-Allow-Headers"] = _ASKED
            headers["Access-Control-Max-Age"] = "600"
