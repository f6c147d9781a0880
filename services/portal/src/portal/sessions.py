"""Cookies that only the portal can read: the session is encrypted, because it holds access tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

LIFETIME = timedelta(days=30)


class PortalSession(CallbackDict[str, Any], SessionMixin):
    """What one browser brings along."""

    def __init__(self, initial: dict[str, Any] | None = None, *, new: bool = True) -> None:
        def changed(session: PortalSession) -> None:
            session.modified = True

        super().__init__(initial, changed)
        self.modified = False
        self.new = new
        self.accessed = True


class EncryptedSessions(SessionInterface):
    """Keeps sessions in an encrypted cookie; one that was tampered with or made with another secret starts empty."""

    def __init__(self, secret: str, *, secure: bool) -> None:
        key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"portal-session").digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._secure = secure
        # Browsers take a __Host- cookie only over HTTPS and for this host alone.
        self._name = "__Host-deskledger" if secure else "deskledger"

    def open_session(self, app: Flask, request: Request) -> PortalSession:
        """Read the visitor's cookie."""
        sealed = request.cookies.get(self._name)
        if not sealed:
            return PortalSession()
        try:
            packed = self._fernet.decrypt(sealed.encode(), ttl=int(LIFETIME.total_seconds()))
            return PortalSession(json.loads(zlib.decompress(packed)), new=False)
        except (InvalidToken, ValueError, zlib.error):
            return PortalSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie when something changed; take it back when nothing is left."""
        response.vary.add("Cookie")
        options: dict[str, Any] = {"path": "/", "httponly": True, "secure": self._secure, "samesite": "Lax"}
        if not session:
            if session.modified:
                response.delete_cookie(self._name, **options)
            return
        if session.modified:
            packed = zlib.compress(json.dumps(dict(session), separators=(",", ":")).encode())
            sealed = self._fernet.encrypt(packed).decode()
            response.set_cookie(self._name, sealed, max_age=LIFETIME, **options)
