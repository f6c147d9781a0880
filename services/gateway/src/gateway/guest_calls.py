"""Calls to the services on behalf of a guest, whose token never leaves the gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from common.errors import (
    BadRequestError,
    ConflictError,
    DomainError,
    FieldError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
    UnavailableError,
)
from common.http.app import MESSAGES_HEADER
from common.ids import decode_id
from common.telemetry import current_trace
from gateway.arrivals import Arrivals
from gateway.headers import trace_headers
from gateway.settlement import InternalCalls
from gateway.upstreams import Answer, Upstreams

_TIMEOUT = 60.0
_ERRORS: dict[int, type[DomainError]] = {
    error.status: error
    for error in (
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        InvalidError,
        TooManyRequestsError,
        UnavailableError,
    )
}


class Guest:
    """Somebody who checks out, as a member; every call waits until its messages arrived."""

    def __init__(self, member_id: UUID, token: str, calls: GuestCalls) -> None:
        self.member_id, self._token, self._calls = member_id, token, calls

    def get(self, service: str, path: str) -> Any:
        """Read. Raises the service's refusal."""
        return self._calls.send(service, "GET", path, self._headers())

    def post(self, service: str, path: str, body: Mapping[str, Any], key: str) -> Any:
        """Create under an idempotency key. Raises the service's refusal."""
        return self._calls.send(service, "POST", path, self._headers() | {"Idempotency-Key": key}, body)

    def withdraw(self, organization_id: UUID, checkout_id: UUID) -> None:
        """Take back what a checkout has booked. Raises UnavailableError."""
        self._calls.withdraw(organization_id, self.member_id, checkout_id)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", **trace_headers(current_trace())}


class GuestCalls:
    """Takes guests in, and calls the services as them."""

    def __init__(self, upstreams: Upstreams, calls: InternalCalls, arrivals: Arrivals, seconds: float) -> None:
        self._upstreams, self._internal = upstreams, calls
        self._arrivals, self._seconds = arrivals, seconds

    def receive(self, organization_id: UUID, customer: Mapping[str, Any]) -> Guest:
        """The member with the guest's address, else a new one. Raises InvalidError with pointers into ``/customer``."""
        body = {"organization_id": str(organization_id), **customer}
        return self._guest(self._internal.call("members", "POST", "/internal/guests", body))

    def again(self, organization_id: UUID, member_id: UUID) -> Guest:
        """The guest of a checkout that goes on. Raises NotFoundError once they are gone."""
        body = {"organization_id": str(organization_id), "member_id": str(member_id)}
        return self._guest(self._internal.call("members", "POST", "/internal/guests/token", body))

    def signed_in(self, member_id: UUID, token: str) -> Guest:
        """A member who has signed in, with their own token."""
        return Guest(member_id, token, self)

    def withdraw(self, organization_id: UUID, member_id: UUID, checkout_id: UUID) -> None:
        """Let booking take back what a member's checkout has booked. Raises UnavailableError."""
        ids = {"organization_id": organization_id, "member_id": member_id, "checkout_id": checkout_id}
        body = {name: str(value) for name, value in ids.items()}
        self._settled("booking", self._internal.call("booking", "POST", "/internal/checkouts/withdrawal", body))

    def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> Any:
        """One call and its messages; the answer's JSON."""
        content, sent = b"", dict(headers)
        if body is not None:
            sent["Content-Type"], content = "application/json", json.dumps(body).encode()
        answer = self._upstreams.call(service, method, path, sent, content, _TIMEOUT)
        return self._settled(service, answer)

    def _guest(self, answer: Answer) -> Guest:
        found = self._settled("members", answer, pointer="/customer")
        return Guest(decode_id("mem", found["member_id"]), found["access_token"], self)

    def _settled(self, service: str, answer: Answer, *, pointer: str = "") -> Any:
        announced = answer.header(MESSAGES_HEADER)
        if announced:
            self._arrivals.wait(announced, self._seconds)
        if answer.status >= 300:
            raise _refusal(service, answer, pointer)
        return answer.json()


def _refusal(service: str, answer: Answer, pointer: str) -> DomainError:
    kind = _ERRORS.get(answer.status)
    if kind is None:
        return UnavailableError("service_unavailable", f"{service} cannot do this just now", extra={"service": service})
    told = answer.json()
    errors = [FieldError(pointer + fault["pointer"], fault["detail"]) for fault in told.get("errors", ())]
    return kind(str(told.get("code", "refused")), str(told.get("detail", "")), errors=errors)
