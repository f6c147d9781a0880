"""One POST to somebody else's server, which may not be used to reach our own (SSRF).

The name is resolved once, every address it has must be public, and the connection goes to the address that was
checked: a name that changes its mind in between wins nothing. Redirects are not followed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from urllib.parse import urlsplit

from notifications.domain.addresses import is_public

Resolve = Callable[[str, int], list[str]]
_ANSWER_BYTES = 500
_CONNECT_SECONDS = 5


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
    """Sends webhooks; ``allow_private`` lets them into private networks (development, a trusted intranet).

    ``timeout_seconds`` is for the whole of it: whoever answers drop by drop does not hold us up.
    """

    def __init__(self, *, timeout_seconds: int, allow_private: bool = False, resolver: Resolve = resolve) -> None:
        self._seconds = timeout_seconds
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
            return self._send((addresses[0], port), host if secure else None, target, body, sent)
        except (HTTPException, OSError, ValueError) as error:
            return Answer(error=f"{type(error).__name__}: {error}"[:500])

    def _send(
        self, address: tuple[str, int], secure_host: str | None, target: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        line = socket.create_connection(address, timeout=min(self._seconds, _CONNECT_SECONDS))
        with _at_most(self._seconds, line.dup()), closing(HTTPConnection(*address)) as connection:
            connection.sock = line
            if secure_host is not None:
                connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=secure_host)
            connection.sock.settimeout(self._seconds)
            connection.request("POST", target, body=body, headers=dict(headers))
            response = connection.getresponse()
            # A single read: what more may come is of no interest.
            text = response.read1(_ANSWER_BYTES)
        return Answer(response.status, text.decode("utf-8", errors="replace").replace("\0", ""))


@contextmanager
def _at_most(seconds: float, line: socket.socket) -> Iterator[None]:
    """Cut a connection that takes longer: a socket's own timeout begins anew with every byte. Raises TimeoutError.

    ``line`` is a second handle of it, for encrypting a connection takes the first one away; it is closed here.
    """
    is_cut = Event()

    def hang_up() -> None:
        is_cut.set()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.close()
        if is_cut.is_set():
            raise TimeoutError(f"no whole answer within {seconds} s")
