"""Secrets at rest: providers' credentials encrypted with a key derived from the service's secret (PAY-6)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.errors import UnavailableError

_CREDENTIALS = b"deskledger payments: credentials"
_LINKS = b"deskledger payments: links"


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())


class Vault:
    """Seals and opens credentials. The newest secret seals, earlier ones still open what they sealed."""

    def __init__(self, secret: str, previous: Sequence[str] = ()) -> None:
        keys = [base64.urlsafe_b64encode(_derived(text, _CREDENTIALS)) for text in (secret, *previous)]
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._link_key = _derived(secret, _LINKS)

    def seal(self, credentials: Mapping[str, str]) -> bytes:
        """Encrypt credentials."""
        return self._fernet.encrypt(json.dumps(dict(credentials)).encode())

    def open(self, sealed: bytes | None) -> dict[str, str]:
        """Decrypt credentials; none were needed where none are stored. Raises UnavailableError for a foreign secret."""
        if sealed is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise UnavailableError(
                "gateway_credentials_unreadable", "the credentials were sealed with another DESKLEDGER_SECRET"
            ) from error
        return opened

    def link_token(self, subject: str) -> str:
        """A token for a public link about ``subject`` that nobody can guess."""
        return hmac.new(self._link_key, subject.encode(), sha256).hexdigest()[:40]

    def link_fits(self, subject: str, token: str) -> bool:
        """Whether `link_token` made this token for the subject."""
        return hmac.compare_digest(self.link_token(subject).encode(), token.encode())
