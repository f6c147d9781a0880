"""``GET /v1/audit-log``: who changed what, when and from where, merged from the services by time."""

from __future__ import annotations

import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import current_app
from marshmallow import fields, validate

from common.auth import Role, allow, current_principal
from common.errors import DomainError, InvalidError
from common.http import Blueprint, Id, Instant, StrictSchema
from common.http.lists import MAX_LIMIT
from common.http.schemas import QuerySchema
from common.ids import decode_id
from gateway.config import SERVICES
from gateway.settlement import InternalCalls

blueprint = Blueprint("audit_log", __name__, description="Who changed what, when and from where")
_FILTERS = ("actor", "action", "subject")


class AuditQuery(QuerySchema):
    """Filters of the audit log."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    actor = fields.String(validate=validate.Length(1, 100), metadata={"description": "Id of a user, member or key"})
    action = fields.String(validate=validate.Length(1, 200), metadata={"example": "member.changed"})
    subject = fields.String(validate=validate.Length(1, 200), metadata={"description": "Id of what was changed"})
    from_ = Instant(data_key="from", metadata={"description": "Inclusive"})
    to = Instant(metadata={"description": "Exclusive"})


class AuditEntrySchema(StrictSchema):
    """One change: who, what, when, from where."""

    id = Id("aud")
    at = Instant()
    service = fields.String(metadata={"example": "booking"})
    actor = fields.String(metadata={"example": "usr_0192f0c8a1b27def8a3b0c1d2e3f4a5b"})
    actor_role = fields.String(allow_none=True, metadata={"example": "owner"})
    address = fields.String(allow_none=True, metadata={"example": "192.0.2.7"})
    action = fields.String(
        metadata={"description": "A name, or method and path of the request", "example": "POST /v1/bookings"}
    )
    subject = fields.String(metadata={"example": "bkg_0192f0c8a1b27def8a3b0c1d2e3f4a5b"})
    changes = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        metadata={"description": "What was asked for, shortened, without secrets and without addresses of people"},
    )
    trace_id = fields.String(allow_none=True)


class AuditPage(StrictSchema):
    """A page of the audit log, newest first."""

    items = fields.List(fields.Nested(AuditEntrySchema))
    next_cursor = fields.String(allow_none=True)
    missing_services = fields.List(
        fields.String(), metadata={"description": "Services that did not answer: their entries are not on this page"}
    )


@blueprint.route("/v1/audit-log", methods=["GET"])
@allow(Role.OWNER)
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, AuditPage)
def list_audit_log(query: dict[str, Any]) -> dict[str, Any]:
    """List who changed what, newest first; entries of services that are down just now are missing, and said to be."""
    answers = _ask_all(_question(query))
    found = [entry for items in answers.values() if items is not None for entry in items]
    found.sort(key=lambda entry: (datetime.fromisoformat(entry["at"]), entry["id"]), reverse=True)
    items = found[: query["limit"]]
    for entry in items:
        entry["at"] = datetime.fromisoformat(entry["at"])
    return {
        "items": [{**entry, "id": decode_id("aud", entry["id"])} for entry in items],
        "next_cursor": _cursor(items[-1]) if len(found) > len(items) else None,
        "missing_services": sorted(name for name, answer in answers.items() if answer is None),
    }


def _question(query: dict[str, Any]) -> dict[str, Any]:
    """What every service is asked: its newest entries below the cursor, one more than the page holds."""
    question = {name: query[name] for name in _FILTERS if query.get(name)}
    question |= {name: query[key].isoformat() for name, key in (("from", "from_"), ("to", "to")) if query.get(key)}
    question |= {"organization_id": str(current_principal().organization_id), "limit": query["limit"] + 1}
    if query["cursor"]:
        question["before"] = _read_cursor(query["cursor"])
    return question


def _ask_all(question: dict[str, Any]) -> dict[str, list[dict[str, Any]] | None]:
    calls: InternalCalls = current_app.extensions["internal_calls"]
    names = [name for name in SERVICES if name in calls.upstreams]
    if not names:
        return {}
    with ThreadPoolExecutor(len(names)) as threads:
        asked = {name: threads.submit(copy_context().run, _ask, calls, name, question) for name in names}
        return {name: answer.result() for name, answer in asked.items()}


def _ask(calls: InternalCalls, service: str, question: dict[str, Any]) -> list[dict[str, Any]] | None:
    """A service's entries; None when it does not answer."""
    try:
        answer = calls.call(service, "POST", "/internal/audit-log", question)
        if answer.status != 200:
            return None
        items: list[dict[str, Any]] = answer.json()["items"]
    except (DomainError, ValueError):
        return None
    return items


def _cursor(entry: dict[str, Any]) -> str:
    values = [entry["at"].isoformat(), str(decode_id("aud", entry["id"]))]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _read_cursor(cursor: str) -> list[str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, entry_id = msgspec.json.decode(raw, type=tuple[datetime, UUID])
        if at.tzinfo is None:
            raise ValueError("no offset")
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidError("invalid_cursor", "this cursor was not made by this list") from error
    return [at.isoformat(), str(entry_id)]
