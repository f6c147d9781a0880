"""Traces and logs: what a caller may say, and what never gets into a log."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.telemetry import Trace, span_id_of, trace_id_of
from common.telemetry.logs import _SECRET_TEXTS, _SUSPICIOUS, ForgivingStream, _struck_out, without_secrets
from common.telemetry.metrics import REQUESTS, observe_request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FAILING = """
import logging, structlog
from common.telemetry import Trace, tracing
from common.telemetry.logs import configure_logs
configure_logs("booking", "INFO", {form!r})
password = "local-variable"
with tracing(Trace("0af7651916cd43dd8448eb211c80319c", "")):
    try:
        raise ValueError("postgresql://desk:dsn-secret@db/x failed")
    except ValueError:
        structlog.get_logger("ours").exception("it_failed", token="field-secret", member_id="mem_1")
        logging.getLogger("theirs").exception("theirs failed")
"""


def test_a_wellformed_traceparent_is_taken_on_and_passed_on() -> None:
    sent = f"00-{TRACE}-{SPAN}-01"
    assert (trace_id_of(sent), span_id_of(sent)) == (TRACE, SPAN)
    assert Trace(TRACE, "", span_id=SPAN).traceparent == sent


@pytest.mark.parametrize(
    "sent",
    [None, "", "nonsense", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[:-1]}\n-{SPAN}-01"],
)
def test_any_other_traceparent_begins_a_new_trace(sent: str | None) -> None:
    first, second = trace_id_of(sent), trace_id_of(sent)
    assert first != second
    assert len(first) == 32
    assert span_id_of(sent) is None


@pytest.mark.parametrize("form", ["json", "text"])
def test_logs_have_tracebacks_without_locals_and_no_secrets(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FAILING.format(form=form)], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("Traceback") == 2
    assert "mem_1" in done.stderr
    assert all(secret not in done.stderr for secret in ("local-variable", "dsn-secret", "field-secret"))
    if form == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert [(line["event"], line["trace_id"]) for line in lines] == [("it_failed", TRACE), ("theirs failed", TRACE)]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret-token",
        "used eyJhbGciOiJFZERTQSJ9.s3cret.s3cret",
        "sk_live_s3cret",
        "duplicate key\nDETAIL:  Key (email)=(s3cret@example.com) already exists.",
        "amqp://guest:s3cret@mq:5672/",
    ],
)
def test_secrets_inside_of_texts_are_struck_out(text: str) -> None:
    assert "s3cret" not in str(without_secrets(None, "info", {"event": "x", "error": text}))


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in _SECRET_TEXTS], ids=lambda each: each.pattern)
@given(data=st.data())
def test_the_look_for_all_secrets_at_once_overlooks_none(pattern: re.Pattern[str], data: st.DataObject) -> None:
    text = data.draw(st.from_regex(pattern))
    assert without_secrets(None, "info", {"text": text})["text"] == _struck_out(text)
    assert _SUSPICIOUS.search(text)


class _ClosedPipe(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_log_line_that_cannot_be_written_fails_nobody() -> None:
    stream = ForgivingStream(_ClosedPipe())
    assert stream.write("a line") == 0
    stream.flush()
    kept = io.StringIO()
    assert ForgivingStream(kept).write("a line") == 6
    assert kept.getvalue() == "a line"


def test_made_up_methods_are_one_time_series() -> None:
    for method in ("BREW", "WHEN", "PROPFIND"):
        observe_request("teapot", method, "/v1/members", 405, 0.01)
    observe_request("teapot", "GET", "/v1/members", 200, 0.01)
    counted = {sample.labels["method"] for sample in samples(REQUESTS) if sample.labels["service"] == "teapot"}
    assert counted == {"GET", "OTHER"}


def samples(metric: Any) -> list[Any]:
    """What a metric has counted."""
    return [sample for family in metric.collect() for sample in family.samples]
