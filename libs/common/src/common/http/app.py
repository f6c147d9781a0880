"""The Flask app of a service: traces, authentication, transactions, problems, documents, health and metrics."""

from __future__ import annotations

import json as stdjson
import time
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Request, Response, g
from flask_smorest import Api
from werkzeug.exceptions import BadRequest

from common.auth.access import Principal
from common.auth.tokens import read_token, unauthenticated
from common.config import Settings
from common.db import Database
from common.http.answers import AnswerJson
from common.http.audit_log import register_audit_log
from common.http.audited import record_change
from common.http.health import register_health
from common.http.idempotency import options_of, run_once
from common.http.internal import register_internal
from common.http.openapi import complete_document, field_attributes, schema_name
from common.http.problems import from_http_exception, register_problem_handlers
from common.http.work import current_request, request_work
from common.messaging import outbox
from common.service import Service
from common.telemetry import Trace, act_as, current_trace, span, span_id_of, trace_id_of, tracing
from common.telemetry.access import note_request
from common.telemetry.metrics import observe_request
from common.tenancy import SigningKeys

MESSAGES_HEADER = "Deskledger-Messages"
_SPAN = "deskledger.span"


class ServiceApi(Api):
    """flask-smorest without its own error shape."""

    def _register_error_handlers(self) -> None:
        register_problem_handlers(self._app)

    handle_http_exception = staticmethod(from_http_exception)


class ServiceApp(Flask):
    """A Flask app whose every request is one trace and one transaction."""

    api: ServiceApi
    json_provider_class = AnswerJson

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        traceparent = environ.get("HTTP_TRACEPARENT")
        trace_id = trace_id_of(traceparent)
        request_id = environ.get("HTTP_X_REQUEST_ID", "")[:100] or trace_id
        address = environ.get("HTTP_X_FORWARDED_FOR", environ.get("REMOTE_ADDR", "")).split(",")[0].strip()
        trace = Trace(trace_id, request_id, address=address, span_id=span_id_of(traceparent))
        with tracing(trace), span(environ["REQUEST_METHOD"], "server") as running:
            environ[_SPAN] = running
            return super().wsgi_app(environ, start_response)

    def ensure_sync(self, func: Any) -> Any:
        """Our views are plain functions: nothing needs to be asked about each of them in each request."""
        return func

    def dispatch_request(self) -> Response:
        asked = current_request()
        if asked.url_rule is None:
            return self.make_response(super().dispatch_request())
        _refuse_unstorable_text(asked)
        self._authenticate(asked)
        with request_work() as commit:
            response = self._run_view(asked)
            if asked.path.startswith("/v1/"):
                record_change(asked, self.view_functions[asked.endpoint or ""], response)
            commit()
            _announce_messages(response)
        return response

    def _run_view(self, asked: Request) -> Response:
        def view() -> Response:
            response = self.make_response(super(ServiceApp, self).dispatch_request())
            etag = g.get("etag")
            if etag and response.status_code < 300:
                response.set_etag(etag)
            return response

        if asked.method != "POST" or asked.path.startswith("/internal/"):
            return view()
        function = self.view_functions[asked.endpoint or ""]
        return run_once(asked, view, options_of(function))

    def _authenticate(self, asked: Request) -> None:
        header = asked.headers.get("Authorization")
        if not header or not asked.path.startswith("/v1/"):
            return
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("token_invalid", "the Authorization header must be: Bearer <token>")
        claims = read_token(token, self.extensions["signing_keys"])
        g.principal = Principal.from_claims(claims)
        act_as(g.principal.subject, g.principal.role)


def _refuse_unstorable_text(asked: Request) -> None:
    """NUL and lone surrogates are legal JSON and no legal text in PostgreSQL."""
    named = asked.view_args or {}
    texts = (*asked.args.values(), *named.values()) if asked.query_string else named.values()
    if any("\x00" in part for part in texts if part):
        raise BadRequest("NUL characters are not accepted")
    if asked.is_json and b"\\u" in asked.get_data(cache=True):
        try:
            body = stdjson.dumps(asked.get_json(), ensure_ascii=False)
        except RecursionError as error:
            raise BadRequest("the body's JSON is nested too deeply") from error
        if "\x00" in body or any("\ud800" <= c <= "\udfff" for c in body) or "\\u0000" in body:
            raise BadRequest("NUL characters and lone surrogates are not accepted")


def _announce_messages(response: Response) -> None:
    """Tell the gateway which messages this request wrote, so that it can wait until they have arrived."""
    session = g.get("session")
    written = outbox.written(session) if session is not None else []
    if written:
        response.headers[MESSAGES_HEADER] = ",".join(f"{message_id}:{key}" for message_id, key in written[-100:])


def create_service_app(service: Service, settings: Settings, database: Database) -> ServiceApp:
    """Build a service's web app. Raises RuntimeError for a route that does not say who may call it."""
    app = ServiceApp(service.name)
    app.config.update(
        API_TITLE=f"Deskledger {service.name}",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.extensions["database"] = database
    app.extensions["settings"] = settings
    app.extensions["signing_keys"] = SigningKeys(database)
    if service.setup is not None:
        service.setup(app, settings)
    _register_routes(app, service)
    register_health(app, database, service.migrations)
    register_internal(app, service, settings, database)
    register_audit_log(app, settings, database)
    _register_hooks(app, service.name)
    return app


def _register_routes(app: ServiceApp, service: Service) -> None:
    plugin = MarshmallowPlugin(schema_name_resolver=schema_name)
    app.api = ServiceApi(app, spec_kwargs={"marshmallow_plugin": plugin})
    if plugin.converter is not None:
        plugin.converter.add_attribute_function(field_attributes)  # type: ignore[no-untyped-call]
    for blueprint in service.blueprints():
        app.api.register_blueprint(blueprint)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and not hasattr(app.view_functions[rule.endpoint], "access"):
            raise RuntimeError(f"{rule.rule} does not say who may call it: add @allow(...) or @public")
    complete_document(app)
    app.add_url_rule("/openapi.json", "openapi", app.api.spec.to_dict)


def _register_hooks(app: ServiceApp, name: str) -> None:
    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.setdefault("X-Request-Id", trace_request_id())
        asked, status = current_request(), response.status_code
        url_rule, method = asked.url_rule, asked.method
        rule = url_rule.rule if url_rule else "unmatched"
        seconds = time.perf_counter() - g.started
        observe_request(name, method, rule, status, seconds)
        note_request(asked.environ.get(_SPAN), method, rule, status, seconds)
        return response


def trace_request_id() -> str:
    """The id of the running request, as sent by the gateway or made here."""
    return current_trace().request_id
