"""Secrets at rest: encrypted with a key made of the installation's secret."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.errors import UnavailableError


def _cipher(secret: str) -> Fernet:
    if not secret:
        raise UnavailableError("secret_not_configured", "set DESKLEDGER_SECRET: it encrypts webhook secrets")
    key = HKDF(SHA256(), length=32, salt=None, info=b"deskledger webhook secrets").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: str, text: str) -> bytes:
    """Encrypt for the database. Raises UnavailableError without DESKLEDGER_SECRET."""
    return _cipher(secret).encrypt(text.encode())


def unseal(secret: str, sealed: bytes) -> str:
    """Read back what `seal` made. Raises UnavailableError when DESKLEDGER_SECRET is another one now."""
    try:
        return _cipher(secret).decrypt(sealed).decode()
    except InvalidToken as error:
        raise UnavailableError("secret_changed", "DESKLEDGER_SECRET is not the one this was encrypted with") from error
