"""The API as the portal's pages call it: on the visitor's seat, with renewal of the sign-in and typed refusals."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, has_request_context, request

from portal.gateway import Gateway, GatewayAnswer
from portal.problems import ApiProblem
from portal.seats import Renewals, Seat, leave_seat, take_seat


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and where the next one begins."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


class Api:
    """Calls of one request."""

    def __init__(self, gateway: Gateway, renewals: Renewals, seat: Seat | None) -> None:
        self._gateway, self._renewals, self._seat = gateway, renewals, seat
        self.calls = 0

    def get(self, path: str, **query: Any) -> Any:
        """Read; raises ApiProblem."""
        return self._checked(self.send("GET", path, query=query)).json

    def read(self, path: str) -> tuple[Any, str]:
        """Read what is going to be changed, with the version (ETag) that it has now. Raises ApiProblem."""
        answer = self._checked(self.send("GET", path))
        return answer.json, answer.headers.get("etag", "")

    def page(self, path: str, **query: Any) -> Page:
        """One page of a list."""
        found = self.get(path, **query)
        return Page(found.get("items", []), found.get("next_cursor"))

    def maybe(self, path: str, **query: Any) -> Any:
        """Read something that a page can do without: None when it is refused, missing or its service is down."""
        answer = self.send("GET", path, query=query)
        if answer.status == 401:
            raise ApiProblem(401, {})
        return answer.json if answer.ok else None

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The first items of a list that a page can do without."""
        found: list[dict[str, Any]] = (self.maybe(path, **query) or {}).get("items", [])
        return found

    def post(self, path: str, body: Any = None) -> Any:
        """Create or do; the form's key makes a second click harmless. Raises ApiProblem."""
        headers = {"Idempotency-Key": _key(path)}
        return self._checked(self.send("POST", path, body={} if body is None else body, headers=headers)).json

    def ask(self, path: str, body: Any) -> Any:
        """Ask with a body for something that changes nothing, such as a price: each time anew. Raises ApiProblem."""
        return self._checked(self.send("POST", path, body=body)).json

    def post_file(self, path: str, content: bytes, content_type: str, **query: Any) -> Any:
        """Send a file as it is. Raises ApiProblem."""
        headers = {"Idempotency-Key": _key(path), "Content-Type": content_type}
        return self._checked(self.send("POST", path, query=query, body=content, headers=headers)).json

    def post_csv(self, path: str, text: str, **query: Any) -> Any:
        """Send a CSV file. Raises ApiProblem."""
        headers = {"Idempotency-Key": _key(path), "Content-Type": "text/csv; charset=utf-8"}
        return self._checked(self.send("POST", path, query=query, body=text.encode(), headers=headers)).json

    def patch(self, path: str, body: Any, *, version: str = "") -> Any:
        """Change; with a ``version`` (ETag) only what is still of that one. Raises ApiProblem."""
        headers = {"If-Match": version} if version else None
        return self._checked(self.send("PATCH", path, body=body, headers=headers)).json

    def put(self, path: str, body: Any) -> Any:
        """Replace. Raises ApiProblem."""
        return self._checked(self.send("PUT", path, body=body)).json

    def delete(self, path: str) -> None:
        """Remove. Raises ApiProblem."""
        self._checked(self.send("DELETE", path))

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """Send on the visitor's seat; an access token that has ended is renewed first."""
        if self._seat is not None and self._seat.is_stale():
            self._renew()
        answer = self._send(method, path, query, body, headers)
        if answer.status == 401 and self._seat is not None and self._renew():
            answer = self._send(method, path, query, body, headers)
        return answer

    def _send(self, method: str, path: str, query: Any, body: Any, headers: Mapping[str, str] | None) -> GatewayAnswer:
        self.calls += 1
        told = {"Accept": "application/json", **_forwarded(), **(headers or {})}
        if self._seat is not None:
            told["Authorization"] = f"Bearer {self._seat.access_token}"
        return self._gateway.send(method, path, query=query, body=body, headers=told)

    def _renew(self) -> bool:
        seat = self._seat
        if seat is None or seat.refresh_token is None:
            return False
        tokens = self._renewals.exchange(seat.refresh_token, self._ask_for_tokens)
        if tokens is None:
            leave_seat(seat)
            raise ApiProblem(401, {})
        seat.renew(tokens)
        take_seat(seat)
        return True

    def _ask_for_tokens(self, refresh_token: str) -> dict[str, Any] | None:
        self.calls += 1
        body = {"grant": "refresh", "refresh_token": refresh_token}
        answer = self._gateway.send("POST", "/v1/tokens", body=body, headers=_forwarded())
        if answer.status >= 500:
            raise ApiProblem(503, answer.json)
        tokens: dict[str, Any] | None = answer.json if answer.ok else None
        return tokens

    @staticmethod
    def _checked(answer: GatewayAnswer) -> GatewayAnswer:
        if answer.ok:
            return answer
        try:
            body = answer.json
        except ValueError:
            body = {}
        raise ApiProblem(answer.status, body if isinstance(body, dict) else {})


def api() -> Api:
    """The API on the seat of the running request."""
    if "api" not in g:
        g.api = _api(g.get("seat"))
    made: Api = g.api
    return made


def api_on(seat: Seat | None) -> Api:
    """The API on another seat than the request's: while signing in or out."""
    return _api(seat)


def _api(seat: Seat | None) -> Api:
    return Api(current_app.extensions["gateway"], current_app.extensions["renewals"], seat)


def _key(path: str) -> str:
    """The sent form's own key, made fit for several calls of one form."""
    sent = request.form.get("_key", "") if has_request_context() else ""
    if not 8 <= len(sent) <= 100:
        return uuid.uuid4().hex
    return hashlib.blake2b(f"{sent} {path}".encode(), digest_size=20).hexdigest()


def _forwarded() -> dict[str, str]:
    """The visitor's own address, which counts for limits, and the trace."""
    if not has_request_context():
        return {}
    address = request.headers.get("X-Forwarded-For") or request.remote_addr or ""
    told = {"X-Forwarded-For": address}
    told |= {name: request.headers[name] for name in ("X-Request-Id", "traceparent") if name in request.headers}
    return told
