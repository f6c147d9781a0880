"""The port: one request to one service and its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

# Longer bodies (documents, exports) are handed on in pieces instead of being kept in memory.
KEPT_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024


class UpstreamDownError(Exception):
    """The service cannot be reached, or broke off while answering."""


class UpstreamTimeoutError(UpstreamDownError):
    """The service took the request and did not answer in time: its effect is unknown."""


@dataclass(slots=True)
class Answer:
    """What a service answered; ``body`` is a stream when it is long or of unknown length."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes]

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def read(self) -> bytes:
        """The whole body."""
        if not isinstance(self.body, bytes):
            self.body = b"".join(self.body)
        return self.body

    def json(self) -> Any:
        """The body as JSON; raises ValueError for anything else."""
        return json.loads(self.read())


class Upstream(Protocol):
    """A service that can be asked. ``path`` is quoted and carries the query; ``timeout`` in seconds."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        """Send one request. Raises UpstreamDownError or UpstreamTimeoutError."""
        ...


def is_kept(method: str, status: int, content_length: str | None) -> bool:
    """Whether a body is short enough to be read at once."""
    if method == "HEAD" or status in {204, 304}:
        return True
    return content_length is not None and content_length.isdigit() and int(content_length) <= KEPT_BYTES
