"""The door's verified caller inside the gateway's own views."""

from __future__ import annotations

from flask import Flask, g, request

from common.auth.access import Principal
from common.errors import UnavailableError
from gateway.identity import Caller

CALLER = "deskledger.caller"


def register_callers(app: Flask) -> None:
    """Make the caller that the door has verified the principal of the request."""

    @app.before_request
    def remember() -> None:
        caller: Caller | None = request.environ.get(CALLER)
        if caller is None:
            return
        if caller.claims is None:
            raise UnavailableError("service_unavailable", "access tokens cannot be verified just now; try again")
        g.principal = Principal.from_claims(caller.claims)


def caller_headers() -> dict[str, str]:
    """What calls on behalf of the caller carry."""
    caller: Caller | None = request.environ.get(CALLER)
    return {"authorization": caller.authorization} if caller else {}
