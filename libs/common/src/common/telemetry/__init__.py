"""Traces, structured logs and metrics."""

from common.telemetry.context import Trace, act_as, current_trace, trace_id_of, tracing

__all__ = ["Trace", "act_as", "current_trace", "trace_id_of", "tracing"]
