"""``Idempotency-Key`` of the POSTs that the gateway answers itself (API.md, conventions).

The use cases behind them find their earlier effect by themselves and answer with its present state. What is left for
the key is to refuse another body and to say that an answer repeats an earlier one; members remembers that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response, current_app, g, request

from common.errors import DomainError, InvalidError, UnavailableError
from common.http.idempotency import idempotency_key
from common.telemetry import current_trace
from gateway.settlement import InternalCalls
from gateway.upstreams.pool import GatewayTimeoutError

log = structlog.get_logger(__name__)


def remembered(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse a key that came with another request; a request that is refused leaves its key free."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Response:
        key = idempotency_key()
        if key is None:
            return view(*args, **kwargs)
        name = _name(key)
        is_first = _claim(name)
        try:
            response = view(*args, **kwargs)
        except DomainError:
            if is_first:
                _release(name)
            raise
        if not is_first:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    return guarded


def _name(key: str) -> str:
    """The key within its caller and route, short."""
    principal = g.get("principal")
    caller = principal.subject if principal else current_trace().address
    return hashlib.sha256(f"{caller}\n{request.path}\n{key}".encode()).hexdigest()


def _claim(name: str) -> bool:
    fingerprint = hashlib.sha256(request.query_string + b"\n" + request.get_data()).hexdigest()
    answer = _calls().call("members", "POST", "/internal/keys", {"key": name, "fingerprint": fingerprint})
    if answer.status == InvalidError.status:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    if answer.status != 200:
        raise UnavailableError("service_unavailable", "members does not answer", extra={"service": "members"})
    return bool(answer.json()["is_first"])


def _release(name: str) -> None:
    """Leave the key free; while members is away it stays taken by this body, and the refusal is told all the same."""
    try:
        _calls().call("members", "DELETE", "/internal/keys", {"key": name})
    except (UnavailableError, GatewayTimeoutError) as error:
        log.warning("key_not_released", error=error.detail)


def _calls() -> InternalCalls:
    calls: InternalCalls = current_app.extensions["internal_calls"]
    return calls
