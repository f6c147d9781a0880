"""``/v1/organizations`` (sign-up) and ``/v1/organization`` (one's own)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import request

from common.auth import Role, allow, current_principal, public
from common.db.database import Organization
from common.http import (
    Blueprint,
    bind_session,
    check_if_match,
    current_session,
    idempotent,
    remember_etag,
)
from common.http.idempotency import idempotency_key
from common.telemetry import current_trace
from members.api.access import current_settings
from members.api.organization_schemas import (
    PROFILE,
    ClockSchema,
    OrganizationFieldsSchema,
    OrganizationSchema,
    SignedUpSchema,
    SignUpSchema,
)
from members.services import clocks, organizations
from members.services.clocks import ClockReading
from members.services.organizations import RequestIdentity

blueprint = Blueprint("organizations", __name__, description="Operators of spaces")


@blueprint.route("/v1/organizations", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(SignUpSchema)
@blueprint.response(201, SignedUpSchema)
def sign_up(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Sign up: an organisation and its owner, who is signed in."""
    values, profile = _split(body)
    done = organizations.sign_up(
        bind_session(None), current_settings(), identity=_identity(), profile=profile, **values
    )
    headers = {"Idempotent-Replayed": "true"} if done.replayed else {}
    return {"organization": done.organization, **asdict(done.tokens)}, 201, headers


def _identity() -> RequestIdentity | None:
    key = idempotency_key()
    if key is None:
        return None
    return RequestIdentity(key=f"{current_trace().address} {key}".encode(), body=request.get_data())


def _split(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {name: value for name, value in body.items() if name not in PROFILE},
        {name: value for name, value in body.items() if name in PROFILE},
    )


@blueprint.route("/v1/organization", methods=["GET"])
@allow(*Role)
@blueprint.response(200, OrganizationSchema)
def get_organization() -> Organization:
    """Show one's own organisation."""
    organization = current_session().organization
    remember_etag(organization)
    return organization


@blueprint.route("/v1/organization", methods=["PATCH"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(OrganizationFieldsSchema(partial=True))
@blueprint.response(200, OrganizationSchema)
def change_organization(body: dict[str, Any]) -> Organization:
    """Change the organisation; null removes an entry of its profile."""
    session = current_session()
    organization = organizations.lock_organization(session, current_principal().organization_id)
    check_if_match(organization)
    changed = organizations.change_organization(session, organization, *_split(body))
    remember_etag(changed)
    return changed


@blueprint.route("/v1/organization/clock", methods=["GET"])
@allow(*Role)
@blueprint.response(200, ClockSchema)
def get_clock() -> ClockReading:
    """Tell what time it is for the organisation."""
    return clocks.read_clock(current_session(), current_principal().organization_id)
