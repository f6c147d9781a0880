"""Who is acting and on whose behalf: one trace from the HTTP request through the outbox to the last consumer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Trace:
    """What travels along: the W3C trace id, the request id, the message that caused this, and the actor.

    ``span_id`` is the span in which things happen: the caller's until there is one of our own.
    """

    trace_id: str
    request_id: str
    causation_id: UUID | None = None
    actor: str = "system"
    actor_role: str | None = None
    address: str | None = None
    span_id: str | None = None

    @property
    def traceparent(self) -> str:
        """W3C trace context header for the next hop."""
        return f"00-{self.trace_id}-{self.span_id or secrets.token_hex(8)}-01"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def trace_id_of(traceparent: str | None) -> str:
    """The trace id inside a ``traceparent`` header, or a new one when it is missing or malformed."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else secrets.token_hex(16)


def span_id_of(traceparent: str | None) -> str | None:
    """The caller's span inside a ``traceparent`` header; None when it is missing or malformed."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[2] if found else None


def current_trace() -> Trace:
    """The trace of the running request, message or job; a fresh one outside of any."""
    return _current.get() or Trace(trace_id=trace_id_of(None), request_id="")


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Run a block under a trace."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def act_as(actor: str, role: str | None) -> None:
    """Name the authenticated actor of the current trace."""
    _current.set(replace(current_trace(), actor=actor, actor_role=role))
