"""Every error leaves as RFC 9457 ``application/problem+json``, with a stable code and the trace id."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, json, request
from marshmallow import Schema, fields
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from common.errors import DomainError, FieldError
from common.telemetry import current_trace

logger = structlog.get_logger(__name__)
PROBLEM_TYPE = "application/problem+json"
_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "request_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}


class FieldErrorSchema(Schema):
    """One fault in a request."""

    pointer = fields.String(metadata={"example": "/start"})
    detail = fields.String(metadata={"example": "Not a valid datetime."})


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(metadata={"example": "about:blank"})
    title = fields.String(metadata={"example": "Conflict"})
    status = fields.Integer(metadata={"example": 409})
    detail = fields.String()
    code = fields.String(metadata={"example": "slot_taken"})
    errors = fields.List(fields.Nested(FieldErrorSchema))
    trace_id = fields.String()


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: tuple[FieldError, ...] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build a problem+json response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [{"pointer": error.pointer, "detail": error.detail} for error in errors],
        "trace_id": current_trace().trace_id,
        **(extra or {}),
    }
    return Response(json.dumps(body), status, headers=dict(headers or {}), content_type=PROBLEM_TYPE)


def from_domain_error(error: DomainError) -> Response:
    """A refusal raised by a use case."""
    return problem(
        error.status, error.code, error.detail, errors=error.errors, extra=error.extra, headers=error.headers
    )


def from_http_exception(error: HTTPException) -> Response:
    """An error of Flask, webargs or a view's ``abort``."""
    if error.response is not None and error.code is not None and error.code < 400:
        return Response(status=error.code, headers=dict(error.get_headers()))  # a redirect
    status = error.code or 500
    data = getattr(error, "data", None) or {}
    found = tuple(_flatten(data.get("messages") or {}))
    detail = "the request has faults; see errors" if found else str(error.description or "")
    headers = {**(data.get("headers") or {}), **_kept_headers(error)}
    return problem(status, _CODES.get(status, "error"), detail, errors=found, headers=headers)


def _kept_headers(error: HTTPException) -> dict[str, str]:
    return {k: v for k, v in error.get_headers() if k in {"Allow", "Retry-After", "WWW-Authenticate"}}


def _flatten(messages: Any, pointer: str = "") -> list[FieldError]:
    """Marshmallow's nested messages as JSON pointers; the outermost level names the part of the request."""
    if isinstance(messages, Mapping):
        found: list[FieldError] = []
        for key, value in messages.items():
            outermost = pointer == "" and key in {"json", "query", "form", "headers", "path", "files", "_schema"}
            found += _flatten(value, pointer if outermost or key == "_schema" else f"{pointer}/{key}")
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return [FieldError(pointer or "/", str(text)) for text in texts]


def register_problem_handlers(app: Flask) -> None:
    """Map every exception that can leave a view to problem+json."""
    app.register_error_handler(DomainError, from_domain_error)
    app.register_error_handler(HTTPException, from_http_exception)
    app.register_error_handler(IntegrityError, _from_integrity_error)
    app.register_error_handler(OperationalError, _from_database_down)
    app.register_error_handler(PoolTimeoutError, _from_busy_pool)
    app.register_error_handler(Exception, _from_bug)


def _from_integrity_error(error: IntegrityError) -> Response:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if getattr(error.orig, "sqlstate", "") not in {"23505", "23P01", "40001", "40P01"}:
        return _from_bug(error)
    logger.info("conflicting_write", constraint=constraint)
    return problem(409, "conflict", f"this conflicts with something that exists already ({constraint})")


def _from_database_down(error: OperationalError) -> Response:
    if getattr(error.orig, "sqlstate", None) in {"40001", "40P01", "55P03"}:
        return problem(409, "busy", "somebody else is changing the same thing; try again", headers={"Retry-After": "1"})
    logger.warning("database_unavailable", error=type(error.orig).__name__)
    return problem(503, "unavailable", "the database cannot be reached just now", headers={"Retry-After": "2"})


def _from_busy_pool(_error: PoolTimeoutError) -> Response:
    logger.warning("no_connection_free")
    return problem(503, "unavailable", "too much to do just now; try again in a moment", headers={"Retry-After": "2"})


def _from_bug(error: Exception) -> Response:
    logger.error("unhandled_error", path=request.path, method=request.method, exc_info=error)
    return problem(500, "internal_error", "something went wrong on our side; it was logged under the trace id")
