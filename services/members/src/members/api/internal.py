"""What only the gateway may ask: to read and to move clocks, to take in a guest, to remember a request's key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, ValidationError

from common.errors import FieldError, InvalidError
from common.http import ServiceApp, bind_session
from common.http.internal import require_internal_caller
from common.ids import encode_id
from common.telemetry import act_as
from members.api.access import current_settings
from members.api.organization_schemas import (
    ClaimedKeySchema,
    ClockTargetSchema,
    GuestAgainSchema,
    GuestSchema,
    InternalClockSchema,
    MoveClockSchema,
    ReleasedKeySchema,
)
from members.config import MembersSettings
from members.services import clocks, guests, request_keys

View = Callable[[], dict[str, Any]]


def register_internal_routes(app: ServiceApp, settings: MembersSettings) -> None:
    """Add ``/internal/clock``, ``…/target``, ``…/targets``, ``/internal/guests``, ``…/token`` and ``…/keys``."""

    def internal(view: View) -> View:
        @wraps(view)
        def guarded() -> dict[str, Any]:
            require_internal_caller(settings)
            return view()

        return guarded

    app.add_url_rule("/internal/clock", "read_clock", internal(_read_clock), methods=["GET"])
    app.add_url_rule("/internal/clock", "move_clock", internal(_move_clock), methods=["POST"])
    app.add_url_rule("/internal/clock/target", "read_target", internal(_read_clock), methods=["GET"])
    app.add_url_rule("/internal/clock/target", "set_target", internal(_set_target), methods=["POST"])
    app.add_url_rule("/internal/guests", "receive_guest", internal(_receive_guest), methods=["POST"])
    app.add_url_rule("/internal/clock/targets", "open_targets", internal(_open_targets), methods=["GET"])
    app.add_url_rule("/internal/keys", "claim_key", internal(_claim_key), methods=["POST"])
    app.add_url_rule("/internal/keys", "release_key", internal(_release_key), methods=["DELETE"])
    app.add_url_rule("/internal/guests/token", "receive_guest_again", internal(_receive_again), methods=["POST"])


def _read_clock() -> dict[str, Any]:
    try:
        organization_id = UUID(request.args.get("organization_id", ""))
    except ValueError as error:
        raise InvalidError("invalid", "organization_id must be a UUID") from error
    return _show(clocks.read_clock(bind_session(organization_id), organization_id))


def _move_clock() -> dict[str, Any]:
    body = _load(MoveClockSchema())
    session = bind_session(body["organization_id"])
    return _show(clocks.move_clock(session, **body))


def _set_target() -> dict[str, Any]:
    body = _load(ClockTargetSchema())
    act_as(body.pop("actor"), body.pop("actor_role"))
    session = bind_session(body["organization_id"])
    return _show(clocks.set_target(session, **body))


def _open_targets() -> dict[str, Any]:
    return {"items": [_show(reading) for reading in clocks.open_targets(bind_session(None))]}


def _receive_guest() -> dict[str, Any]:
    body = _load(GuestSchema())
    session = bind_session(body.pop("organization_id"))
    guest = guests.receive_guest(session, current_settings(), **body)
    return _show_guest(guest)


def _receive_again() -> dict[str, Any]:
    body = _load(GuestAgainSchema())
    session = bind_session(body.pop("organization_id"))
    return _show_guest(guests.guest_again(session, current_settings(), **body))


def _claim_key() -> dict[str, Any]:
    return {"is_first": request_keys.claim_key(bind_session(None), **_load(ClaimedKeySchema()))}


def _release_key() -> dict[str, Any]:
    request_keys.release_key(bind_session(None), _load(ReleasedKeySchema())["key"])
    return {}


def _show_guest(guest: guests.Guest) -> dict[str, Any]:
    return {
        "member_id": encode_id("mem", guest.member_id),
        "created": guest.created,
        "access_token": guest.tokens.access_token,
        "expires_in": guest.tokens.expires_in,
    }


def _load(schema: Schema) -> dict[str, Any]:
    try:
        body: dict[str, Any] = schema.load(request.get_json())
    except ValidationError as error:
        faults = error.messages if isinstance(error.messages, dict) else {"": error.messages}
        errors = [FieldError(f"/{name}", str(detail)) for name, detail in faults.items()]
        raise InvalidError("invalid", "the request has faults; see errors", errors=errors) from error
    return body


def _show(reading: clocks.ClockReading) -> dict[str, Any]:
    shown: dict[str, Any] = InternalClockSchema().dump(reading)
    return shown
