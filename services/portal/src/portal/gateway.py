"""The portal's one source: the gateway's public API, over HTTP or in the same process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from werkzeug.test import Client

_TIMEOUT = urllib3.Timeout(connect=2, read=60)


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """What the gateway said; ``headers`` in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 400

    @property
    def json(self) -> Any:
        """The body as JSON; an empty object when there is none."""
        return json.loads(self.body) if self.body else {}


class Gateway(Protocol):
    """Sends one request to the API."""

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """``body`` is sent as JSON (bytes as they are). Answers 503 when the gateway cannot be reached."""
        ...


class HttpGateway:
    """The gateway at an address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=_TIMEOUT)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """See `Gateway.send`."""
        payload, sent = _encoded(body, headers)
        try:
            raw = self._pool.request(method, self._url + _with_query(path, query), body=payload, headers=sent)
        except urllib3.exceptions.HTTPError:
            return GatewayAnswer(503, {}, b'{"code":"unavailable","detail":"The service cannot be reached just now."}')
        return GatewayAnswer(raw.status, {k.lower(): v for k, v in raw.headers.items()}, raw.data)


class WsgiGateway:
    """The gateway in this process."""

    def __init__(self, app: Any) -> None:
        self._client = Client(app, use_cookies=False)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """See `Gateway.send`."""
        payload, sent = _encoded(body, headers)
        with self._client.open(_with_query(path, query), method=method, data=payload, headers=sent) as answer:
            return GatewayAnswer(
                answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.get_data()
            )


def _encoded(body: Any, headers: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    sent = dict(headers or {})
    if body is None or isinstance(body, bytes):
        return body, sent
    return json.dumps(body).encode(), {"Content-Type": "application/json", **sent}


def _with_query(path: str, query: Mapping[str, Any] | None) -> str:
    named = {name: value for name, value in (query or {}).items() if value not in (None, "")}
    return f"{path}?{urlencode(named, doseq=True)}" if named else path
