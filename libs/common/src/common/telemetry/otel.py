"""OpenTelemetry itself; imported only when spans are exported."""

from __future__ import annotations

import secrets

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from common.telemetry.context import Trace, current_trace
from common.telemetry.spans import Attributes

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _OurTraceIds(IdGenerator):
    """A trace that begins here has the id that the logs and the outbox know it by."""

    def generate_trace_id(self) -> int:
        return int(current_trace().trace_id, 16)

    def generate_span_id(self) -> int:
        return secrets.randbits(64) or 1


def make_provider(service: str, endpoint: str, exporter: SpanExporter | None) -> TracerProvider:
    """A provider that exports in batches to ``<endpoint>/v1/traces``, or at once to a given exporter."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}), id_generator=_OurTraceIds())
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5))
        )
    return provider


def start_span(tracer: Tracer, name: str, kind: str, attributes: Attributes, trace: Trace) -> Span:
    """A span below the trace's present one."""
    return tracer.start_span(name, _parent(trace), _KINDS[kind], dict(attributes))


def _parent(trace: Trace) -> Context:
    if trace.span_id is None:
        return Context()
    parent = SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), is_remote=True, trace_flags=_SAMPLED)
    return api.set_span_in_context(NonRecordingSpan(parent), Context())


class RunningSpan:
    """A span as `common.telemetry.spans` shows it."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def span_id(self) -> str:
        """Its id in 16 hex digits."""
        return format(self._span.get_span_context().span_id, "016x")

    def rename(self, name: str) -> None:
        """See `spans.Span`."""
        self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        """See `spans.Span`."""
        self._span.set_attributes(dict(attributes))

    def fail(self, reason: str) -> None:
        """See `spans.Span`."""
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR))
