"""Headers that keep pages to themselves: nothing from other addresses, no scripts or styles inside pages."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

from common.clock import SystemClock


def style_nonce() -> str:
    """Lets one page's own ``<style>`` through: for the places of bookings in a calendar."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    return str(g.style_nonce)


def content_security_policy(*, framed: bool = False) -> str:
    """The policy of this page; ``framed`` pages may be embedded by other sites."""
    styles = f"'self' 'nonce-{g.style_nonce}'" if "style_nonce" in g else "'self'"
    parts = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": styles,
        "img-src": "'self' data: https:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "*" if framed else "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def register_security(app: Flask) -> None:
    """Dress every answer."""
    app.extensions["clock"] = SystemClock()
    app.jinja_env.globals["style_nonce"] = style_nonce

    @app.after_request
    def dress(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", content_security_policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if "static" in (request.endpoint or ""):
            headers["Cache-Control"] = "public, max-age=86400"
        else:
            # Pages show what belongs to one visitor.
            headers.setdefault("Cache-Control", "private, no-store")
        if "api" in g:
            headers["Server-Timing"] = f'api;desc="{g.api.calls} calls"'
        return response
