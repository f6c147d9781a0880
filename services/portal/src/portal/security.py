"""Headers that keep pages to themselves: nothing from other addresses, no scripts or styles inside pages."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from flask import Flask, Response, g, request

from common.clock import SystemClock

# What Stripe asks a page to allow: its script, its API, and the frames of its elements and of banks.
_STRIPE = (
    "'self' https://js.stripe.com https://*.js.stripe.com",
    "'self' https://api.stripe.com",
    "'self' https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com",
)


def style_nonce() -> str:
    """Lets one page's own ``<style>`` through: for the places of bookings in a calendar."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    return str(g.style_nonce)


def allow_stripe() -> None:
    """Let this page load Stripe's script and show its elements, which alone see card numbers (PAY-10)."""
    g.with_stripe = True


def allow_embedding(origins: Iterable[str]) -> None:
    """Let these sites show this page in a frame of theirs."""
    g.frame_ancestors = " ".join(origins) or "'none'"


def content_security_policy() -> str:
    """The policy of this page."""
    styles = f"'self' 'nonce-{g.style_nonce}'" if "style_nonce" in g else "'self'"
    scripts, calls, frames = _STRIPE if g.get("with_stripe") else ("'self'", "'self'", "'self'")
    parts = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": styles,
        "img-src": "'self' data: https:",
        "font-src": "'self'",
        "connect-src": calls,
        "frame-src": frames,
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": g.get("frame_ancestors", "'none'"),
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
