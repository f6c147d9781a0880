"""Spans for OpenTelemetry. Until `export_spans` was called nothing is imported, and a span costs a function call."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from common.telemetry.context import _current, current_trace, tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

Attributes = Mapping[str, str | int]
_STATEMENT = 500


class Span(Protocol):
    """What may be told about a running span."""

    def rename(self, name: str) -> None:
        """Give it the name that was not known at its start."""
        ...

    def note(self, attributes: Attributes) -> None:
        """Add attributes: names and numbers, no personal data and no secrets."""
        ...

    def fail(self, reason: str) -> None:
        """Mark it as failed."""
        ...


class _Silent:
    def rename(self, name: str) -> None: ...
    def note(self, attributes: Attributes) -> None: ...
    def fail(self, reason: str) -> None: ...


_SILENT = nullcontext(_Silent())


class _Exporting:
    """The tracer of this process."""

    def __init__(self) -> None:
        self.tracer: Any = None
        self.provider: Any = None
        self.pid = 0


_exporting = _Exporting()


def span(name: str, kind: str = "internal", attributes: Attributes | None = None) -> AbstractContextManager[Span]:
    """Run a block as a span of the current trace: ``with span("job billing", attributes={...}) as running:``.

    ``kind`` is internal, server, client or consumer. An exception that leaves the block marks the span as failed.
    """
    if _exporting.tracer is None:
        return _SILENT
    return _recorded(name, kind, attributes or {})


def statement_span(statement: str) -> AbstractContextManager[Span]:
    """Run an SQL statement that SQLAlchemy does not see as a span."""
    if not _is_of_interest():
        return _SILENT
    return _recorded(*_described(statement))


@contextmanager
def _recorded(name: str, kind: str, attributes: Attributes) -> Iterator[Span]:
    from common.telemetry.otel import RunningSpan, start_span

    inner = start_span(_exporting.tracer, name, kind, attributes, current_trace())
    running = RunningSpan(inner)
    try:
        with tracing(replace(current_trace(), span_id=running.span_id)):
            yield running
    except BaseException as error:
        running.fail(type(error).__name__)
        raise
    finally:
        inner.end()


def export_spans(service: str, endpoint: str, exporter: SpanExporter | None = None) -> None:
    """Send spans to an OTLP collector (``http://host:4318``) from now on; without an endpoint nothing happens.

    Call it in the process that works, after forking; a second call in the same process changes nothing. Tests give an
    ``exporter`` of their own.
    """
    if not (endpoint or exporter) or _exporting.pid == os.getpid():
        return
    from common.telemetry.otel import make_provider

    _exporting.provider = make_provider(service, endpoint, exporter)
    _exporting.tracer = _exporting.provider.get_tracer("deskledger")
    _exporting.pid = os.getpid()
    _watch_statements()


def stop_exporting() -> None:
    """Send what is left and forget the collector (tests; at a process's end this happens by itself)."""
    if _exporting.provider is not None:
        _exporting.provider.shutdown()
    _exporting.tracer, _exporting.provider, _exporting.pid = None, None, 0


def _watch_statements() -> None:
    """Spans for SQL; the instrumentation that exists refuses SQLAlchemy 2.1. Parameters are never part of a span."""
    from sqlalchemy import Engine, event

    if not event.contains(Engine, "before_cursor_execute", _before_statement):
        event.listen(Engine, "before_cursor_execute", _before_statement)
        event.listen(Engine, "after_cursor_execute", _after_statement)
        event.listen(Engine, "handle_error", _failed_statement)


def _before_statement(
    _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    if context is None or not _is_of_interest():
        return
    from common.telemetry.otel import start_span

    context._deskledger_span = start_span(_exporting.tracer, *_described(statement), current_trace())


def _is_of_interest() -> bool:
    """Loops that look for work ask all the time: only what belongs to a request, a message or a job is of interest."""
    trace = _current.get()
    return _exporting.tracer is not None and trace is not None and trace.span_id is not None


def _described(statement: str) -> tuple[str, str, Attributes]:
    words = " ".join(statement.split())
    attributes = {"db.system.name": "postgresql", "db.query.text": words[:_STATEMENT]}
    return words.partition(" ")[0].upper(), "client", attributes


def _after_statement(
    _connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    _end_statement(context, None)


def _failed_statement(failure: Any) -> None:
    _end_statement(failure.execution_context, type(failure.original_exception).__name__)


def _end_statement(context: Any, reason: str | None) -> None:
    running = getattr(context, "_deskledger_span", None)
    if running is None:
        return
    from common.telemetry.otel import RunningSpan

    context._deskledger_span = None
    if reason:
        RunningSpan(running).fail(reason)
    running.end()
