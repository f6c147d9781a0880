"""The portal's web app: wiring only."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

from flask import Flask, Response, g, request, session
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from common.telemetry.access import note_request
from common.telemetry.metrics import observe_request, render_metrics
from portal import admin, entry, hub, member
from portal.config import PortalSettings
from portal.formats import register_formats
from portal.gateway import Gateway
from portal.icons import icon
from portal.links import register_links
from portal.names import register_names
from portal.problems import register_problem_pages
from portal.seats import MEMBER, STAFF, Renewals
from portal.security import register_security
from portal.sessions import EncryptedSessions
from portal.states import register_states
from portal.told import register_told
from portal.translation import register_translation


def create_portal_app(settings: PortalSettings, gateway: Gateway) -> Flask:
    """Build the portal on a gateway."""
    app = Flask("portal")
    app.config.update(
        SECRET_KEY=settings.secret,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=int(timedelta(hours=12).total_seconds()),
        MAX_CONTENT_LENGTH=16 * 1024 * 1024,
    )
    app.session_interface = EncryptedSessions(settings.secret, secure=settings.secure_cookies)
    app.extensions |= {"gateway": gateway, "renewals": Renewals()}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Bootstrap5(app)
    CSRFProtect(app)
    _register_measuring(app)
    register_security(app)
    register_translation(app)
    register_formats(app)
    register_states(app)
    register_links(app)
    register_names(app)
    register_told(app)
    register_problem_pages(app)
    _register_globals(app)
    for part in (entry, admin, member, hub):
        app.register_blueprint(part.blueprint)
    _register_health(app)
    return app


def _register_globals(app: Flask) -> None:
    app.jinja_env.globals.update(icon=icon, new_key=lambda: uuid.uuid4().hex)

    @app.context_processor
    def shared() -> dict[str, object]:
        return {"seat": g.get("seat"), "seated": {kind: kind in session for kind in (STAFF, MEMBER)}}


def _register_health(app: Flask) -> None:
    @app.get("/livez")
    @app.get("/readyz")
    def alive() -> dict[str, str]:
        return {"status": "ready", "service": "portal"}

    @app.get("/metrics")
    def metrics() -> Response:
        body, content_type = render_metrics()
        return Response(body, content_type=content_type)


def _register_measuring(app: Flask) -> None:
    """Count requests by route, and write a line for each; never a path or query, which may hold names and tokens."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unmatched"
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        observe_request("portal", request.method, route, response.status_code, seconds)
        note_request(None, request.method, route, response.status_code, seconds)
        return response
