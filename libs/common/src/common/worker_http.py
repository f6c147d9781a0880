"""A worker's own address: ``/livez``, ``/readyz`` and ``/metrics`` on a small threaded HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog

from common.telemetry.metrics import render_metrics

logger = structlog.get_logger(__name__)
Faults = Callable[[], list[str]]
_SECONDS = 5


class _Answering(BaseHTTPRequestHandler):
    """Answers the three paths; ``server`` knows what is wrong."""

    server: _Server
    timeout = _SECONDS
    server_version, sys_version = "deskledger", ""

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        if path == "/livez":
            self._tell("alive", self.server.dead())
        elif path == "/readyz":
            self._tell("ready", self.server.dead() + self.server.unready())
        elif path == "/metrics":
            body, content_type = render_metrics()
            self._send(200, body, content_type)
        else:
            self._send(404, b"", "text/plain")

    def _tell(self, status: str, faults: list[str]) -> None:
        body = {"status": f"not {status}", "faults": faults} if faults else {"status": status}
        answer = json.dumps({**body, "service": self.server.service, "process": "worker"}).encode()
        self._send(503 if faults else 200, answer, "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Scrapes and probes are not worth a line."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], service: str, dead: Faults, unready: Faults) -> None:
        self.service, self.dead, self.unready = service, dead, unready
        super().__init__(address, _Answering)


@contextmanager
def worker_http(service: str, host: str, port: int, *, dead: Faults, unready: Faults) -> Iterator[int]:
    """Serve while the block runs; yields the port, 0 when nobody answers there.

    ``dead`` and ``unready`` say in plain words what is wrong. Without a port, or with one that is taken, the worker
    works all the same: messages matter more than their counting.
    """
    try:
        server = _Server((host, port), service, dead, unready) if port else None
    except OSError as error:
        logger.error("worker_http_failed", service=service, port=port, error=error.strerror)
        server = None
    if server is None:
        yield 0
        return
    threading.Thread(target=server.serve_forever, name=f"{service}-http", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
