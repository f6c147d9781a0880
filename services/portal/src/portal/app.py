"""The portal's web app: wiring only."""

from __future__ import annotations

import uuid
from datetime import timedelta

from flask import Flask, g, session
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from portal import admin, entry, hub, member
from portal.config import PortalSettings
from portal.formats import register_formats
from portal.gateway import Gateway
from portal.icons import icon
from portal.links import register_links
from portal.problems import register_problem_pages
from portal.seats import MEMBER, STAFF, Renewals
from portal.security import register_security
from portal.sessions import EncryptedSessions
from portal.states import register_states
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
    register_security(app)
    register_translation(app)
    register_formats(app)
    register_states(app)
    register_links(app)
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
