"""Services over HTTP: one pool of kept-alive connections per service (urllib3)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout, parse_url

from gateway.upstreams.port import CHUNK_BYTES, Answer, UpstreamDownError, UpstreamTimeoutError, is_kept

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_RETRY_PAUSES = (0.02, 0.1)


class HttpUpstream:
    """A service at a base URL.

    Only idempotent methods are repeated, and only when the connection could not be made or was dropped (a kept one
    that the service had just closed, say): never after a timeout.
    """

    def __init__(self, name: str, base_url: str, *, pool_size: int = 32, connect_seconds: float = 1.0) -> None:
        self.name = name
        self._prefix = (parse_url(base_url).path or "").rstrip("/")
        self._connect_seconds = connect_seconds
        self._pool = urllib3.connection_from_url(base_url, maxsize=pool_size, block=False)

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        """See `Upstream.request`."""
        pauses = iter(_RETRY_PAUSES if method in _IDEMPOTENT else ())
        while True:
            try:
                return self._once(method, self._prefix + path, headers, body, timeout)
            except ReadTimeoutError as error:
                raise UpstreamTimeoutError(f"{self.name} did not answer within {timeout:g} s") from error
            except (NewConnectionError, ConnectTimeoutError, ProtocolError) as error:
                pause = next(pauses, None)
                if pause is None:
                    raise UpstreamDownError(f"{self.name}: {type(error).__name__}") from error
                time.sleep(pause)
            except HTTPError as error:
                raise UpstreamDownError(f"{self.name}: {type(error).__name__}") from error

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Answer:
        response = self._pool.urlopen(
            method,
            path,
            # No body and an empty one differ: a POST must say Content-Length: 0.
            body=body if body or method not in {"GET", "HEAD", "OPTIONS", "DELETE"} else None,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=Timeout(connect=self._connect_seconds, read=timeout),
        )
        content = _content(method, response)
        return Answer(response.status, list(response.headers.iteritems()), content)


def _content(method: str, response: BaseHTTPResponse) -> bytes | Iterator[bytes]:
    if not is_kept(method, response.status, response.headers.get("Content-Length")):
        return _pieces(response)
    data = response.read(decode_content=False)
    response.release_conn()
    return data


def _pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from response.stream(CHUNK_BYTES, decode_content=False)
    except BaseException:
        # Half-read (the client left, or the service broke off): the connection is of no further use.
        response.close()
        raise
    response.release_conn()
