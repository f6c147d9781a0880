"""Access tokens: JWTs signed with Ed25519, checked by every service with its own copy of the public keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

from common.errors import UnauthenticatedError

ISSUER = "deskledger"
AUDIENCE = "deskledger"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="deskledger"'}


def unauthenticated(code: str, detail: str) -> UnauthenticatedError:
    """A 401 with the challenge that RFC 6750 asks for."""
    return UnauthenticatedError(code, detail, headers=_CHALLENGE)


def read_token(token: str, public_key: Callable[[str], str | None]) -> dict[str, Any]:
    """The claims of a valid access token; ``public_key`` finds a PEM by ``kid``. Raises UnauthenticatedError."""
    try:
        key = public_key(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise unauthenticated("unknown_signing_key", "the access token was signed with a key that is not known")
        return jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER, leeway=5)
    except jwt.ExpiredSignatureError as error:
        raise unauthenticated("token_expired", "the access token has expired") from error
    except jwt.InvalidTokenError as error:
        raise unauthenticated("token_invalid", "the access token is not valid") from error
