"""Spans for OpenTelemetry: what a request, its SQL and its messages leave at a collector; nothing without one."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import literal, select

from catalog.service import SERVICE
from common.db.plumbing import outbox_table
from common.jobs import Job, JobRun, Scheduler
from common.telemetry import Trace, export_spans, span, tracing
from common.telemetry.spans import stop_exporting
from common.testing.plugin import ApiClient, add_organization

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
LOCATION = {"name": "Secret Dock", "code": "D1", "timezone": "Europe/Berlin"}


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """The spans that this process exports."""
    memory = InMemorySpanExporter()
    export_spans("catalog", "", memory)
    yield memory
    stop_exporting()


def test_a_request_is_a_span_of_its_caller_with_its_sql_below(
    service_app: Callable[..., Any], sign_in: Callable[..., ApiClient], exported: InMemorySpanExporter
) -> None:
    app = service_app(SERVICE)
    organization_id = add_organization(app.extensions["database"])
    exported.clear()
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    made = sign_in(app, organization_id).post("/v1/locations?q=s3cret", LOCATION, headers=headers)
    assert made.status_code == 201
    spans = exported.get_finished_spans()
    assert {format(each.context.trace_id, "032x") for each in spans} == {TRACE}
    (request,) = [each for each in spans if each.kind.name == "SERVER"]
    assert request.name == "POST /v1/locations"
    assert format(request.parent.span_id, "016x") == CALLER
    assert request.attributes["http.response.status_code"] == 201
    statements = [each for each in spans if each.kind.name == "CLIENT"]
    assert {each.parent.span_id for each in statements} == {request.context.span_id}
    assert {"SELECT", "INSERT"} <= {each.name for each in statements}
    told = str([dict(each.attributes) for each in spans])
    assert "Secret Dock" not in told
    assert "s3cret" not in told
    with app.extensions["database"].system_session() as session:
        sent = session.scalars(select(outbox_table.c.headers)).first()
    assert sent["traceparent"] == f"00-{TRACE}-{request.context.span_id:016x}-01"


def test_a_failed_job_is_a_failed_span_of_a_trace_of_its_own(
    service_app: Callable[..., Any], exported: InMemorySpanExporter
) -> None:
    database = service_app(SERVICE).extensions["database"]
    organization_id = add_organization(database)

    def fail(run: JobRun) -> None:
        raise ZeroDivisionError

    due = select(literal(organization_id).label("organization_id"), literal(database.clock.now()).label("due_at"))
    assert Scheduler(database, [Job("sweep", due, fail)], "catalog").run_once() == 0
    (job,) = [each for each in exported.get_finished_spans() if each.name == "job sweep"]
    assert (job.status.status_code.name, job.attributes["error.type"]) == ("ERROR", "ZeroDivisionError")
    assert job.parent is None


class Collector(HTTPServer):
    """A stand-in for an OTLP collector."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.paths: list[str] = []
        self.names: list[str] = []


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        sent = ExportTraceServiceRequest.FromString(body)
        self.server.paths.append(self.path)
        for resource in sent.resource_spans:
            self.server.names += [each.name for scope in resource.scope_spans for each in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


def test_spans_reach_a_collector_over_http() -> None:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, daemon=True)
    thread.start()
    try:
        export_spans("catalog", f"http://127.0.0.1:{collector.server_port}")
        with tracing(Trace(TRACE, "")), span("outer"), span("inner"):
            pass
        stop_exporting()
    finally:
        collector.shutdown()
        collector.server_close()
        thread.join()
    assert set(collector.paths) == {"/v1/traces"}
    assert sorted(collector.names) == ["inner", "outer"]


def test_without_an_endpoint_nothing_is_imported() -> None:
    program = (
        "import sys, catalog.service, common.http, common.cli, common.telemetry\n"
        "from common.telemetry import export_spans, span\n"
        "export_spans('catalog', '')\n"
        "with span('quiet'): pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
