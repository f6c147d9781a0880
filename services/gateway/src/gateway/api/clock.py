"""``/v1/organization/clock``: read and advance a rehearsal organisation's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, current_app, jsonify
from marshmallow import fields

from common.auth import Role, allow, current_principal
from common.errors import ConflictError, InvalidError
from common.http import Blueprint, Instant, StrictSchema, idempotent
from common.http.schemas import QuerySchema
from gateway.api.request_keys import remembered
from gateway.config import GatewaySettings
from gateway.simulation import Clocks, ClockState, Progress, Simulation, first_reasons

STATUS_URL = "/v1/organization/clock"
_FURTHEST = timedelta(days=3660)
blueprint = Blueprint("clock", __name__, description="The clock of a rehearsal organisation")


class ReasonSchema(StrictSchema):
    """What an advance waits for."""

    service = fields.String(metadata={"example": "payments"})
    reason = fields.String(metadata={"example": "due_work"})


class ClockSchema(StrictSchema):
    """A clock; ``settled`` when no advance is under way."""

    mode = fields.String(metadata={"example": "rehearsal"})
    now = Instant(required=True)
    target = Instant(allow_none=True)
    settled = fields.Boolean(required=True)
    status_url = fields.String(metadata={"example": STATUS_URL})
    waiting_for = fields.List(fields.Nested(ReasonSchema))


class AdvanceSchema(StrictSchema):
    """How far the clock shall go."""

    to = Instant(required=True, metadata={"example": "2027-03-10T12:00:00Z"})


class ClockQuery(QuerySchema):
    """How the clock is read."""

    wait = fields.Boolean(
        load_default=True, metadata={"description": "False: tell the time at once, and drive no advance on"}
    )


@blueprint.route("/v1/organization/clock", methods=["GET"])
@allow(*Role)
@blueprint.arguments(ClockQuery, location="query")
@blueprint.response(200, ClockSchema)
def read_clock(query: dict[str, Any]) -> Response:
    """The organisation's time. While an advance is under way, this call drives it on for some seconds first."""
    principal = current_principal()
    organization_id = str(principal.organization_id)
    state = _clocks().read(organization_id)
    if state.mode == "live":
        return jsonify(_live())
    has_settled = state.target is None and _simulation().has_settled(organization_id, state.now)
    if has_settled or not query["wait"] or not principal.is_staff:
        # Who cannot drive it on need not know of messages on their way.
        return jsonify(_standing(state, settled=has_settled or (state.target is None and not principal.is_staff)))
    # Also with the target reached: the driver that got there may have died before all had settled.
    progress = _simulation().drive(organization_id, state.target or state.now, _settings().clock_status_seconds)
    return jsonify({"mode": state.mode, **_show(progress)})


@blueprint.route("/v1/organization/clock/advance", methods=["POST"])
@allow(Role.OWNER)
@idempotent(by_effect=True)
@blueprint.arguments(AdvanceSchema)
@blueprint.response(200, ClockSchema)
@blueprint.alt_response(202, schema=ClockSchema, description="Not finished yet: ask status_url until settled")
@remembered
def advance_clock(body: dict[str, Any]) -> Response:
    """Move the clock forward; answers when everything due until then has been handled by every service.

    Repeating the request is harmless. A live organisation has the real time: 409.
    """
    principal, to = current_principal(), body["to"]
    organization_id = str(principal.organization_id)
    state = _clocks().read(organization_id)
    _check_target(state, to)
    goal = max(to, state.target or to)
    if goal > state.now and goal != state.target:
        _clocks().set_target(organization_id, goal, principal)
    progress = _simulation().drive(organization_id, goal, _settings().clock_advance_seconds)
    if progress.settled:
        return jsonify(_show(progress))
    response = jsonify(_show(progress) | {"status_url": STATUS_URL})
    response.status_code = 202
    response.headers |= {"Location": STATUS_URL, "Retry-After": "1"}
    return response


def _check_target(state: ClockState, to: datetime) -> None:
    if state.mode == "live":
        raise ConflictError("clock_is_real", "a live organisation has the real time; only a rehearsal's can be moved")
    if to < state.now:
        raise InvalidError("clock_goes_forward", f"the clock stands at {_text(state.now)} and never goes back")
    if to - state.now > _FURTHEST:
        raise InvalidError("too_far", "the clock can be moved by ten years at most")


def _show(progress: Progress) -> dict[str, Any]:
    if progress.settled:
        return {"now": _text(progress.now), "settled": True}
    return {
        "now": _text(progress.now),
        "target": _text(progress.target),
        "settled": False,
        "waiting_for": first_reasons(progress.waiting_for),
    }


def _standing(state: ClockState, *, settled: bool) -> dict[str, Any]:
    target = _text(state.target) if state.target else None
    return {"mode": state.mode, "now": _text(state.now), "target": target, "settled": settled}


def _live() -> dict[str, Any]:
    return {"mode": "live", "now": _text(current_app.extensions["clock"].now()), "target": None, "settled": True}


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _settings() -> GatewaySettings:
    settings: GatewaySettings = current_app.extensions["settings"]
    return settings


def _clocks() -> Clocks:
    clocks: Clocks = current_app.extensions["clocks"]
    return clocks


def _simulation() -> Simulation:
    simulation: Simulation = current_app.extensions["simulation"]
    return simulation
