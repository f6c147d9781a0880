"""Services in the same process: the app is called as a WSGI server would."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from werkzeug.test import run_wsgi_app

from gateway.upstreams.port import Answer, UpstreamDownError, is_kept

logger = structlog.get_logger(__name__)


class WsgiUpstream:
    """A service as a WSGI application; timeouts do not apply, since nobody can stop a thread."""

    def __init__(self, name: str, app: Any) -> None:
        self.name, self._app = name, app

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        """See `Upstream.request`."""
        try:
            pieces, status, received = run_wsgi_app(self._app, _environ(method, path, headers, body))
            number = int(status.split(" ", 1)[0])
            stream = _closing(pieces)
            is_short = is_kept(method, number, received.get("Content-Length"))
            content: bytes | Iterator[bytes] = b"".join(stream) if is_short else stream
        except Exception as error:
            # What a WSGI server does with an application that raises.
            logger.exception("upstream_raised", upstream=self.name)
            raise UpstreamDownError(f"{self.name} failed") from error
        return Answer(number, list(received.items()), content)


def _closing(pieces: Any) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


def _environ(method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    plain, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(plain).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ
