"""The door: every request comes past here. It checks, counts, forwards and dresses; pages of its own are Flask's.

It stands in front of the Flask app as WSGI middleware, because forwarding needs none of Flask's machinery.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import structlog
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from common.errors import DomainError, NotFoundError
from common.http.app import MESSAGES_HEADER
from common.http.problems import from_domain_error, from_http_exception, problem
from common.telemetry import Trace, current_trace, span, span_id_of, trace_id_of, tracing
from common.telemetry.access import note_request
from common.telemetry.metrics import observe_request
from gateway.api.callers import CALLER
from gateway.arrivals import Arrivals
from gateway.config import GatewaySettings
from gateway.cors import CrossOrigin
from gateway.headers import (
    API_HEADERS,
    PAGE_HEADERS,
    PDF_HEADERS,
    ClientAddresses,
    client_headers,
    request_id_of,
    service_headers,
    trace_headers,
)
from gateway.identity import Caller, Identity
from gateway.rate_limits import RateLimits
from gateway.routes import GATEWAY, PORTAL, SIGN_IN_PATHS, Route, find_route
from gateway.upstreams import Answer, Upstreams

logger = structlog.get_logger(__name__)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNCOUNTED = frozenset({"/livez", "/readyz", "/metrics"})
_PATH_CHARACTERS = "/:@!$&'()*+,;=~-._"
_STATUS_LINES = {status: f"{status} {phrase}" for status, phrase in HTTP_STATUS_CODES.items()}
_UNMATCHED = Route("unmatched", GATEWAY)


class Door:
    """WSGI middleware around the gateway's own app."""

    def __init__(
        self,
        own: Callable[..., Any],
        settings: GatewaySettings,
        upstreams: Upstreams,
        identity: Identity,
        limits: RateLimits,
        arrivals: Arrivals,
    ) -> None:
        self._own, self._settings, self._upstreams = own, settings, upstreams
        self._identity, self._arrivals = identity, arrivals
        self._limits = limits
        self._addresses = ClientAddresses(settings.trusted_proxies, settings.internal_token)
        self._cross_origin = CrossOrigin(settings.cors_origins)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        started = time.perf_counter()
        address, is_believed = self._addresses.of(environ)
        traceparent = environ.get("HTTP_TRACEPARENT")
        trace_id = trace_id_of(traceparent)
        request_id = request_id_of(environ, trace_id)
        trace = Trace(trace_id, request_id, address=address, span_id=span_id_of(traceparent))
        is_secure = _is_secure(environ, is_believed)
        with tracing(trace), span(environ["REQUEST_METHOD"], "server") as running:
            # Our own span, when there are any, is what the services' spans hang on.
            visit = Visit(environ, current_trace(), is_secure, self._settings.max_body_bytes)
            answer = self._answer(visit)
            self._dress(visit, answer.headers)
            route = visit.route or _UNMATCHED
            seconds = time.perf_counter() - started
            observe_request(GATEWAY, visit.method, route.name, answer.status, seconds)
            note_request(running, visit.method, route.name, answer.status, seconds)
        start_response(_status_line(answer.status), answer.headers)
        if visit.method == "HEAD":
            # No server leaves it out by itself, and the client would take it for the beginning of the next answer.
            return _without_body(answer)
        return [answer.body] if isinstance(answer.body, bytes) else answer.body

    def _answer(self, visit: Visit) -> Answer:
        try:
            return self._enter(visit)
        except DomainError as error:
            return _refusal(from_domain_error(error))
        except HTTPException as error:
            return _refusal(from_http_exception(error))
        except Exception as error:
            logger.error("unhandled_error", path=visit.path, method=visit.method, exc_info=error)
            detail = "something went wrong on our side; it was logged under the trace id"
            return _refusal(problem(500, "internal_error", detail))

    def _enter(self, visit: Visit) -> Answer:
        route = visit.route
        if route is None or (route.service == PORTAL and PORTAL not in self._upstreams):
            raise NotFoundError("not_found", "there is nothing here")
        if visit.is_preflight:
            return Answer(204, [], b"")
        if route.name not in _UNCOUNTED:
            is_sign_in = route.name in SIGN_IN_PATHS and visit.method not in _SAFE
            self._limits.count_address(visit.trace.address or "", is_sign_in=is_sign_in)
        caller = self._caller(visit)
        if route.service == GATEWAY:
            visit.environ[CALLER] = caller
            return _answer_of(self._own, visit.environ)
        return self._forward(visit, route, caller)

    def _caller(self, visit: Visit) -> Caller | None:
        if visit.is_page:
            return None
        caller = self._identity.caller(visit.environ.get("HTTP_AUTHORIZATION"), trace_headers(visit.trace))
        if caller is not None:
            self._limits.count_key(caller.key)
        return caller

    def _forward(self, visit: Visit, route: Route, caller: Caller | None) -> Answer:
        authorization = caller.authorization if caller else None
        headers = service_headers(visit.environ, visit.trace, authorization, visit.is_secure)
        if route.service == PORTAL:
            # The portal makes links and checks where forms come from; it has no use for tokens.
            headers["host"] = visit.environ.get("HTTP_HOST", "")
        answer = self._upstreams.call(
            route.service, visit.method, visit.target, headers, visit.body(), self._settings.upstream_seconds
        )
        if route.name == "/v1/api-keys" and visit.method not in _SAFE:
            self._identity.forget_keys()
        announced = answer.header(MESSAGES_HEADER)
        answer.headers = client_headers(answer.headers)
        if announced and visit.method not in _SAFE:
            self._await_arrivals(visit, announced, answer)
        return answer

    def _await_arrivals(self, visit: Visit, announced: str, answer: Answer) -> None:
        if "respond-async" in visit.environ.get("HTTP_PREFER", ""):
            answer.headers.append(("Preference-Applied", "respond-async"))
        else:
            self._arrivals.wait(announced, self._settings.own_writes_seconds)

    def _dress(self, visit: Visit, headers: list[tuple[str, str]]) -> None:
        """Add what every answer has, unless the service has its own mind about it."""
        present = {name.lower(): value for name, value in headers}
        wanted = PAGE_HEADERS if visit.is_page else API_HEADERS
        if present.get("content-type") == "application/pdf":
            wanted = PDF_HEADERS
        headers += [(name, value) for name, low, value in wanted if low not in present]
        headers.append(("X-Request-Id", visit.trace.request_id))
        if visit.is_secure and "strict-transport-security" not in present:
            headers.append(("Strict-Transport-Security", "max-age=31536000"))
        if not visit.is_page:
            headers += self._cross_origin.headers(visit.environ)


class Visit:
    """One request at the door."""

    def __init__(self, environ: dict[str, Any], trace: Trace, is_secure: bool, max_body_bytes: int) -> None:
        self.environ, self.trace, self.is_secure = environ, trace, is_secure
        self.method: str = environ.get("REQUEST_METHOD", "GET")
        self._raw_path: bytes = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        self.path = self._raw_path.decode("utf-8", "replace")
        self.route = find_route(self.path)
        self._max_body_bytes = max_body_bytes

    @property
    def is_page(self) -> bool:
        """Whether this is for the portal, not the API."""
        return self.route is not None and self.route.service == PORTAL

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks if another origin's page may call."""
        return (
            self.method == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in self.environ
            and "HTTP_ORIGIN" in self.environ
        )

    @property
    def target(self) -> str:
        """Path and query for the service; quoted anew, so that what goes on is what was looked up."""
        query = self.environ.get("QUERY_STRING", "")
        path = quote(self._raw_path, safe=_PATH_CHARACTERS)
        return f"{path}?{query}" if query else path

    def body(self) -> bytes:
        """The body. Raises RequestEntityTooLarge (413)."""
        if self.method in {"GET", "HEAD"} and self.environ.get("CONTENT_LENGTH", "") in {"", "0"}:
            return b""
        request = Request(self.environ)
        request.max_content_length = self._max_body_bytes
        return request.get_data(cache=False)


def _without_body(answer: Answer) -> list[bytes]:
    if hasattr(answer.body, "close"):
        answer.body.close()
    return []


def _refusal(response: Response) -> Answer:
    # Its headers name the length already: said twice, some reverse proxies take the answer for a broken one.
    return Answer(response.status_code, list(response.headers.items()), response.get_data())


def _answer_of(app: Callable[..., Any], environ: dict[str, Any]) -> Answer:
    """The answer of the gateway's own app."""
    pieces, status, headers = run_wsgi_app(app, environ)
    return Answer(int(status[:3]), [(k, v) for k, v in headers.items() if k != "X-Request-Id"], pieces)  # type: ignore[arg-type]


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status) or f"{status} Unknown"


def _is_secure(environ: dict[str, Any], is_believed: bool) -> bool:
    said = environ.get("HTTP_X_FORWARDED_PROTO", "") if is_believed else ""
    return bool((said or environ.get("wsgi.url_scheme")) == "https")
