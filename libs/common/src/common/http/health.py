"""``/livez`` (the process answers), ``/readyz`` (it can do its work) and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from common.db import Database
from common.db.revisions import schema_check
from common.http.problems import problem
from common.telemetry.metrics import render_metrics

if TYPE_CHECKING:
    from common.http.app import ServiceApp


def register_health(app: ServiceApp, database: Database, migrations: Path) -> None:
    """Add the three operational paths."""
    fits = schema_check(migrations)

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive", "service": app.name}

    @app.get("/readyz")
    def readyz() -> Response | dict[str, str]:
        fault = _fault(app, database, fits)
        if fault:
            return problem(503, "not_ready", fault, headers={"Retry-After": "1"})
        return {"status": "ready", "service": app.name}

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = render_metrics()
        return Response(body, content_type=content_type)


def _fault(app: ServiceApp, database: Database, fits: Callable[[Connection], bool]) -> str | None:
    try:
        with database.engine.connect() as connection:
            if not fits(connection):
                return "the database lacks the newest migrations: run 'migrate'"
        if not app.extensions["signing_keys"].reload():
            return "the keys that sign access tokens have not arrived yet"
    except SQLAlchemyError:
        return "the database cannot be reached or is not migrated"
    return None
