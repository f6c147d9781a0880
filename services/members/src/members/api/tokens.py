"""``/v1/tokens``, ``/v1/sign-in-links``, ``/v1/invitations`` and the public keys."""

from __future__ import annotations

from typing import Any

from common.auth import Role, allow, current_principal, public
from common.errors import ForbiddenError
from common.http import Blueprint, StrictSchema, bind_session, current_session, idempotent
from members.api.access import current_settings
from members.api.token_schemas import (
    AcceptanceSchema,
    GrantSchema,
    LinkRequestSchema,
    PasswordChangeSchema,
    RevocationSchema,
    TokensSchema,
)
from members.services import sign_in, signing_keys, tokens
from members.services.tokens import Tokens

blueprint = Blueprint("tokens", __name__, description="Signing in and out")
# No answer with a token in it is stored: sent again, these requests let in again, where nothing was used up by then.


@blueprint.route("/v1/tokens", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(GrantSchema)
@blueprint.response(200, TokensSchema)
def create_token(body: dict[str, Any]) -> Tokens:
    """Sign in by password, refresh token, mailed link or API key."""
    session, settings = bind_session(None), current_settings()
    match body["grant"]:
        case "refresh":
            return tokens.refresh(session, settings, body["refresh_token"])
        case "link":
            return sign_in.with_link(session, settings, body["token"])
        case "api_key":
            return sign_in.with_api_key(session, settings, body["key"])
    return sign_in.with_password(
        session,
        settings,
        slug=body["organization"],
        email=body["email"],
        password=body["password"],
        side=body.get("side"),
    )


@blueprint.route("/v1/tokens/revocation", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(RevocationSchema)
@blueprint.response(204)
def revoke_token(body: dict[str, Any]) -> None:
    """Sign out: the refresh token and all that came from the same sign-in end."""
    tokens.revoke(bind_session(None), body["refresh_token"])


@blueprint.route("/v1/sign-in-links", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(LinkRequestSchema)
@blueprint.response(202, StrictSchema)
def request_link(body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a sign-in link by mail; the answer is the same whether or not somebody has the address."""
    sign_in.request_link(
        bind_session(None),
        current_settings(),
        slug=body["organization"],
        email=body["email"],
        side=body.get("side"),
    )
    return {}


@blueprint.route("/v1/invitations/acceptance", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(AcceptanceSchema)
@blueprint.response(200, TokensSchema)
def accept_invitation(body: dict[str, Any]) -> Tokens:
    """Choose a password with the token of an invitation, and be signed in."""
    return sign_in.accept_invitation(bind_session(None), current_settings(), body["token"], body["password"])


@blueprint.route("/v1/password", methods=["POST"])
@allow(*Role)
@idempotent(by_effect=True)
@blueprint.arguments(PasswordChangeSchema)
@blueprint.response(200, TokensSchema)
def change_password(body: dict[str, Any]) -> Tokens:
    """Change one's own password; all other sign-ins end."""
    subject = current_principal().subject
    if subject.startswith("key_"):
        raise ForbiddenError("role_not_allowed", "an API key has no password")
    return sign_in.change_password(
        current_session(), current_settings(), subject, current=body["current_password"], new=body["password"]
    )


@blueprint.route("/v1/.well-known/jwks.json", methods=["GET"])
@public
@blueprint.response(200)
def get_key_set() -> dict[str, Any]:
    """The public keys that access tokens can be checked with (JWKS)."""
    return signing_keys.key_set(bind_session(None))
