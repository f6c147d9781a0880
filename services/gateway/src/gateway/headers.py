"""Which headers cross the door: towards the services, and back to the client."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from common.http.internal import INTERNAL_HEADER
from common.telemetry import Trace

# RFC 9110, 7.6.1: they concern one connection only.
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    "upgrade".split()
)
# Said by the gateway itself, or nobody's business but ours.
_NOT_TAKEN = HOP_BY_HOP | set(
    "host content-length expect forwarded authorization x-request-id traceparent x-real-ip x-forwarded-for "
    "x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix".split()
)
_NOT_GIVEN = HOP_BY_HOP | {"server", "date", "deskledger-messages", "x-request-id"}
_OURS = "deskledger-"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")

_EVERYWHERE = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
_PAGES = {"Referrer-Policy": "strict-origin-when-cross-origin", "Cross-Origin-Opener-Policy": "same-origin"}
# Answers of the API are no pages: nothing may be loaded or framed by them, and nobody may keep them.
_API = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
# (name, the name in small letters, value)
PAGE_HEADERS = [(name, name.lower(), value) for name, value in (_EVERYWHERE | _PAGES).items()]
API_HEADERS = [(name, name.lower(), value) for name, value in (_EVERYWHERE | _API).items()]
# Browsers show documents with viewers of their own, which that policy would keep from working.
PDF_HEADERS = [entry for entry in API_HEADERS if entry[0] != "Content-Security-Policy"]


class ClientAddresses:
    """Finds a client's address: X-Forwarded-For is believed only from proxies that we know."""

    def __init__(self, trusted: str, internal_token: str) -> None:
        self._networks = [ip_network(part.strip(), strict=False) for part in trusted.split(",") if part.strip()]
        self._token = internal_token.encode()
        self._known: dict[str, bool] = {}

    def of(self, environ: Mapping[str, Any]) -> tuple[str, bool]:
        """The client's address, and whether whoever connects to us may speak for it."""
        peer = environ.get("REMOTE_ADDR") or ""
        if not self._believes(environ, peer):
            return peer, False
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        for hop in reversed(hops):
            if not self._is_trusted(hop):
                return (hop if _is_address(hop) else peer), True
        return (hops[0] if hops and _is_address(hops[0]) else peer), True

    def _believes(self, environ: Mapping[str, Any], peer: str) -> bool:
        sent = environ.get("HTTP_" + INTERNAL_HEADER.upper().replace("-", "_"))
        if sent is not None and self._token and secrets.compare_digest(sent.encode("utf-8", "replace"), self._token):
            return True
        return self._is_trusted(peer)

    def _is_trusted(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            known = _is_address(address) and any(ip_address(address) in network for network in self._networks)
            if len(self._known) < 10_000:
                self._known[address] = known
        return known


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def request_id_of(environ: Mapping[str, Any], trace_id: str) -> str:
    """The client's X-Request-Id when it is harmless, else the trace id."""
    sent: str = environ.get("HTTP_X_REQUEST_ID", "")
    return sent if _REQUEST_ID.fullmatch(sent) else trace_id


def service_headers(
    environ: Mapping[str, Any], trace: Trace, authorization: str | None, is_secure: bool
) -> dict[str, str]:
    """The headers of the request to the service behind."""
    dropped = _named_by_connection(environ.get("HTTP_CONNECTION", ""))
    sent = {
        name: value
        for name, value in ((_NAMES.get(key) or _name(key), value) for key, value in environ.items() if _is_header(key))
        if name not in _NOT_TAKEN and name not in dropped and not name.startswith(_OURS)
    }
    if authorization:
        sent["authorization"] = authorization
    sent |= trace_headers(trace)
    sent["x-forwarded-for"] = trace.address or ""
    sent["x-forwarded-host"] = environ.get("HTTP_HOST", "")
    sent["x-forwarded-proto"] = "https" if is_secure else "http"
    return sent


def trace_headers(trace: Trace) -> dict[str, str]:
    """What every call to a service carries, so that its work can be followed."""
    return {"x-request-id": trace.request_id, "traceparent": trace.traceparent}


def client_headers(received: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a service's answer that are for the client."""
    received = list(received)
    dropped = _named_by_connection(next((v for k, v in received if k.lower() == "connection"), ""))
    return [(k, v) for k, v in received if (low := k.lower()) not in _NOT_GIVEN and low not in dropped]


_NAMES: dict[str, str] = {}


def _is_header(key: str) -> bool:
    return key.startswith("HTTP_") or key == "CONTENT_TYPE"


def _name(key: str) -> str:
    name = key.removeprefix("HTTP_").lower().replace("_", "-")
    if len(_NAMES) < 500:
        _NAMES[key] = name
    return name


def _named_by_connection(value: str) -> frozenset[str]:
    if not value or value.lower() in {"close", "keep-alive"}:
        return frozenset()
    return frozenset(part.strip().lower() for part in value.split(","))
