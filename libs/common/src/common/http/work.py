"""One request, one transaction: opened when first needed, committed at the edge, rolled back by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from flask import Request, current_app, g, request

from common.auth.access import current_principal
from common.db import Database, TenantSession


def current_request() -> Request:
    """The running request itself: Flask's proxy looks for it with each attribute, which adds up in every request."""
    return cast(Request, request._get_current_object())  # type: ignore[attr-defined]


def current_session() -> TenantSession:
    """The request's session, bound to the caller's organisation."""
    session: TenantSession | None = g.get("session")
    if session is None:
        session = bind_session(current_principal().organization_id)
    return session


def bind_session(organization_id: UUID | None) -> TenantSession:
    """Open the request's session for an organisation found by other means than a token (public routes, webhooks).

    None sees every organisation: for sign-up and for finding the organisation only.
    """
    session: TenantSession | None = g.get("session")
    if session is None:
        session = g.session = current_database().open_session(organization_id)
    else:
        session.bind_organization(organization_id)
    return session


def current_database() -> Database:
    """The database of the service that handles this request."""
    database: Database = current_app.extensions["database"]
    return database


@contextmanager
def request_work() -> Iterator[Any]:
    """Close the request's session whatever happens; yields a function that commits what was done."""

    def commit() -> None:
        session: TenantSession | None = g.get("session")
        if session is not None:
            session.commit()

    try:
        yield commit
    finally:
        session: TenantSession | None = g.get("session")
        if session is not None:
            session.close()
