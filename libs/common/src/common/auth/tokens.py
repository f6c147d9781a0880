"""Access tokens: JWTs signed with Ed25519, checked by every service with its own copy of the public keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jwt

from common.clock import SystemClock
from common.errors import UnauthenticatedError

ISSUER = "deskledger"
AUDIENCE = "deskledger"
_LEEWAY_SECONDS = 5
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="deskledger"'}


def unauthenticated(code: str, detail: str) -> UnauthenticatedError:
    """A 401 with the challenge that RFC 6750 asks for."""
    return UnauthenticatedError(code, detail, headers=_CHALLENGE)


def read_token(token: str, public_key: Callable[[str], str | None]) -> dict[str, Any]:
    """The claims of a valid access token; ``public_key`` finds a PEM by ``kid``. Raises UnauthenticatedError."""
    try:
        key = public_key(_kid(token))
        if key is None:
            raise unauthenticated("unknown_signing_key", "the access token was signed with a key that is not known")
        claims = _verified(token, key)
    except jwt.ExpiredSignatureError as error:
        raise unauthenticated("token_expired", "the access token has expired") from error
    except jwt.InvalidTokenError as error:
        raise unauthenticated("token_invalid", "the access token is not valid") from error
    # A remembered token was valid when it was first read; it ends all the same.
    if claims.get("exp", 0) + _LEEWAY_SECONDS <= SystemClock().now().timestamp():
        raise unauthenticated("token_expired", "the access token has expired")
    return dict(claims)


@lru_cache(maxsize=4096)
def _kid(token: str) -> str:
    """The id of the key that a token says it was signed with."""
    return str(jwt.get_unverified_header(token).get("kid", ""))


@lru_cache(maxsize=4096)
def _verified(token: str, key: str) -> dict[str, Any]:
    """Claims of a token whose signature holds; remembered, since a client sends the same one for minutes."""
    options = {"require": ["exp"]}
    return jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=_LEEWAY_SECONDS,
        options=options,  # type: ignore[arg-type]
    )
