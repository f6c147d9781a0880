"""Secrets at rest: sealed with keys that are derived from the installation's secret, one for each purpose."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class ForeignSecretError(Exception):
    """Something was sealed with a secret that is not known here."""


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose; other purposes' keys tell nothing about it."""
    return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())


class Seal:
    """Seals and opens for one purpose. Of ``secrets`` the first seals; the others still open what they sealed."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        keys = [Fernet(base64.urlsafe_b64encode(derived_key(secret, purpose))) for secret in secrets]
        self._newest, self._any = keys[0], MultiFernet(keys)

    def seal(self, plain: bytes) -> bytes:
        """Encrypt for the database."""
        return self._newest.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt. Raises ForeignSecretError."""
        try:
            return self._any.decrypt(sealed)
        except InvalidToken as error:
            raise ForeignSecretError("this was sealed with another DESKLEDGER_SECRET") from error

    def resealed(self, sealed: bytes) -> bytes | None:
        """The same under the newest secret; None when it is already. Raises ForeignSecretError."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None
