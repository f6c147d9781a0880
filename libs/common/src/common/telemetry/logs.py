"""Structured logs: an event name per line, ids as fields, the trace id always; no personal data and no secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from common.telemetry.context import _current

_SECRET_NAME = re.compile(r"passw|secret|token|credential|api_?key|authorization|cookie", re.IGNORECASE)
# What exceptions of drivers and clients like to quote: logins in addresses, tokens, rows that broke a constraint.
_SECRET_TEXTS = (
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), "://***@"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "***"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]+"), r"\1 ***"),
    (re.compile(r"\b((?:sk|rk|whsec|pk)_(?:live_|test_)?)\w+"), r"\1***"),
    (re.compile(r"(?m)^DETAIL:.*$"), "DETAIL: ***"),
)


# Every one of them has one of these: looking for all at once is enough for most texts.
_SUSPICIOUS = re.compile(r"(?i)://|eyJ|bearer |basic |[srp]k_|whsec_|DETAIL:")


def configure_logs(service: str, level: str = "INFO", form: str = "json") -> None:
    """Send structlog and the standard library's logs to standard error, as JSON lines or readable text."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _context_of(service),
        _with_traceback,
        without_secrets,
    ]
    renderer = _renderer(form)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, ForgivingStream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(number, logging.WARNING))


class ForgivingStream:
    """A stream whose reader may be gone: what cannot be written is lost, and nobody's request fails for it.

    A worker process that outlives its killed master for a moment writes into a closed pipe.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or not."""
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Flush, or not."""
        with suppress(OSError):
            self._stream.flush()


def _renderer(form: str) -> Any:
    if form == "json":
        return structlog.processors.JSONRenderer()
    # Pretty tracebacks show the local variables, and those hold what people sent us.
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _context_of(service: str) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def add_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        trace = _current.get()
        if trace is not None:
            event.setdefault("trace_id", trace.trace_id)
        return event

    return add_context


def _with_traceback(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The exception as text, without the values of variables."""
    return structlog.processors.format_exc_info(logger, method, event)


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Strike out fields that are named like secrets, and secrets inside of texts."""
    for name, value in event.items():
        if _is_secret(name):
            event[name] = "***"
        elif isinstance(value, str) and _SUSPICIOUS.search(value):
            event[name] = _struck_out(value)
    return event


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _struck_out(text: str) -> str:
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text
