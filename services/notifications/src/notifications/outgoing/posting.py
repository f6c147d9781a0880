"""One POST to somebody else's server, which may not be used to reach our own (SSRF).

The name is resolved once, every address it has must be public, and the connection goes to the address that was
checked: a name that changes its mind in between wins nothing. Redirects are not followed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from notifications.domain.addresses import is_public

Resolve = Callable[[str, int], list[str]]
_ANSWER_BYTES = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and the answer's beginning, or an error."""

    status: int | None = None
    text: str = ""
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """2xx."""
        return self.status is not None and 200 <= self.status < 300


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Poster:
    """Sends webhooks; ``allow_private`` lets them into private networks (development, a trusted intranet)."""

    def __init__(self, *, timeout_seconds: int, allow_private: bool = False, resolver: Resolve = resolve) -> None:
        self._timeout = Timeout(connect=min(timeout_seconds, 5), read=timeout_seconds)
        self._allow_private = allow_private
        self._resolve = resolver

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST and read a little of the answer; every failure is an `Answer` with its error."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            return Answer(error=f"{host} cannot be resolved")
        if not addresses or (not self._allow_private and not all(is_public(address) for address in addresses)):
            return Answer(error=f"{host} does not lead to a public address")
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        sent = {**headers, "Host": parts.netloc.rpartition("@")[2]}
        try:
            return self._send(_pool(addresses[0], host, port, secure=secure), target, body, sent)
        except (HTTPError, OSError, ValueError) as error:
            return Answer(error=f"{type(error).__name__}: {error}"[:500])

    def _send(self, pool: urllib3.HTTPConnectionPool, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        with pool:
            response = pool.urlopen(
                "POST",
                target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=self._timeout,
                preload_content=False,
                assert_same_host=False,
            )
            try:
                # A single read: whoever sends drop by drop does not hold us up.
                text = response.read1(_ANSWER_BYTES) or b""
            finally:
                response.close()
        return Answer(response.status, text.decode("utf-8", errors="replace").replace("\0", ""))


def _pool(address: str, host: str, port: int, *, secure: bool) -> urllib3.HTTPConnectionPool:
    if not secure:
        return urllib3.HTTPConnectionPool(address, port, maxsize=1)
    options: dict[str, Any] = {"server_hostname": host, "assert_hostname": host}
    return urllib3.HTTPSConnectionPool(address, port, maxsize=1, **options)
