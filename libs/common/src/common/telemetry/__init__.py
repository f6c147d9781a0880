"""Traces, structured logs and metrics."""

from common.telemetry.context import Trace, act_as, current_trace, span_id_of, trace_id_of, tracing
from common.telemetry.spans import export_spans, span

__all__ = ["Trace", "act_as", "current_trace", "export_spans", "span", "span_id_of", "trace_id_of", "tracing"]
