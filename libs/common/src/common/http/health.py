"""``/livez`` (the process answers), ``/readyz`` (it can do its work) and ``/metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from common.db import Database
from common.db.revisions import database_fault
from common.http.problems import problem
from common.telemetry.metrics import render_metrics

if TYPE_CHECKING:
    from common.http.app import ServiceApp


def register_health(app: ServiceApp, database: Database, migrations: Path) -> None:
    """Add the three operational paths."""

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive", "service": app.name}

    @app.get("/readyz")
    def readyz() -> Response | dict[str, str]:
        fault = _fault(app, database, migrations)
        if fault:
            return problem(503, "not_ready", fault, headers={"Retry-After": "1"})
        return {"status": "ready", "service": app.name}

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = render_metrics()
        return Response(body, content_type=content_type)


def _fault(app: ServiceApp, database: Database, migrations: Path) -> str | None:
    fault = database_fault(database, migrations)
    if fault:
        return fault
    try:
        if not app.extensions["signing_keys"].reload():
            return "the keys that sign access tokens have not arrived yet"
    except SQLAlchemyError:
        return "the database cannot be reached"
    return None
