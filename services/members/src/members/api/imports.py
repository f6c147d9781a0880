"""``/v1/members/import`` and ``/v1/companies/import``: CSV in, a report out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from common.auth import Role, allow, current_principal
from common.http import Blueprint, current_session, idempotent
from common.http.idempotency import REPLAYED_HEADER, idempotency_key
from members.api.access import current_settings
from members.api.people_schemas import CompanyInSchema, ImportQuery, ImportReportSchema, MemberInSchema
from members.services.imports import import_file

blueprint = Blueprint("imports", __name__, description="CSV import")
Answer = tuple[dict[str, Any], int, dict[str, str]]
_BODY = {
    "required": True,
    "description": "UTF-8, with a header line; separated by commas, semicolons or tabs",
    "content": {"text/csv": {"schema": {"type": "string"}, "example": "name,email\nExample,member@example.com\n"}},
}


@blueprint.route("/v1/members/import", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent(by_effect=True)
@blueprint.doc(requestBody=_BODY)
@blueprint.arguments(ImportQuery, location="query")
@blueprint.response(200, ImportReportSchema)
def import_members(query: dict[str, Any]) -> Answer:
    """Take members in from a CSV file; companies are named and must exist."""
    return _import("members", MemberInSchema(), query)


@blueprint.route("/v1/companies/import", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent(by_effect=True)
@blueprint.doc(requestBody=_BODY)
@blueprint.arguments(ImportQuery, location="query")
@blueprint.response(200, ImportReportSchema)
def import_companies(query: dict[str, Any]) -> Answer:
    """Take companies in from a CSV file."""
    return _import("companies", CompanyInSchema(), query)


def _import(kind: str, schema: Schema, query: dict[str, Any]) -> Answer:
    if request.mimetype != "text/csv":
        raise UnsupportedMediaType("the body must be text/csv")
    request.max_content_length = current_settings().max_import_bytes

    def read_row(cells: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        try:
            return dict(schema.load(cells)), {}
        except ValidationError as error:
            return {}, dict(_faults(error.messages))

    report, is_replayed = import_file(
        current_session(),
        current_principal(),
        kind,
        _buffered(request.stream),
        read_row,
        dry_run=query["dry_run"],
        idempotency_key=idempotency_key(),
    )
    return report, 200, {REPLAYED_HEADER: "true"} if is_replayed else {}


def _buffered(stream: Any) -> Any:
    """werkzeug's stream has a limit and no buffer: its lines would be read byte by byte."""
    return io.BufferedReader(stream, 65_536) if isinstance(stream, io.RawIOBase) else stream


def _faults(messages: Any, pointer: str = "") -> list[tuple[str, str]]:
    if isinstance(messages, Mapping):
        return [fault for name, inner in messages.items() for fault in _faults(inner, f"{pointer}/{name}")]
    return [(pointer or "/", " ".join(str(text) for text in messages))]
