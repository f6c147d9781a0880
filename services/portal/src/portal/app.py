"""The portal's web app: wiring only."""

from __future__ import annotations

from flask import Flask, render_template

from portal.config import PortalSettings
from portal.gateway import Gateway


def create_portal_app(settings: PortalSettings, gateway: Gateway) -> Flask:
    """Build the portal on a gateway."""
    app = Flask("portal")
    app.secret_key = settings.secret
    app.extensions["gateway"] = gateway

    @app.get("/")
    def start() -> str:
        return render_template("start.html")

    @app.get("/livez")
    @app.get("/readyz")
    def alive() -> dict[str, str]:
        return {"status": "ready", "service": "portal"}

    return app
