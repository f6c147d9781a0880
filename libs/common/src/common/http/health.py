"""``/livez`` (the process answers), ``/readyz`` (it can do its work) and ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from common.db import Database
from common.http.problems import problem
from common.telemetry.metrics import render_metrics

if TYPE_CHECKING:
    from common.http.app import ServiceApp


def register_health(app: ServiceApp, database: Database) -> None:
    """Add the three operational paths."""

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive", "service": app.name}

    @app.get("/readyz")
    def readyz() -> Response | dict[str, str]:
        fault = _fault(app, database)
        if fault:
            return problem(503, "not_ready", fault, headers={"Retry-After": "1"})
        return {"status": "ready", "service": app.name}

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = render_metrics()
        return Response(body, content_type=content_type)


def _fault(app: ServiceApp, database: Database) -> str | None:
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM alembic_version"))
        if not app.extensions["signing_keys"].reload():
            return "the keys that sign access tokens have not arrived yet"
    except SQLAlchemyError:
        return "the database cannot be reached or is not migrated"
    return None
