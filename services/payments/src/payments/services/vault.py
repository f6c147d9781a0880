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
        secrets = (secret, *previous)
        keys = [Fernet(base64.urlsafe_b64encode(_derived(text, _CREDENTIALS))) for text in secrets]
        self._newest, self._fernet = keys[0], MultiFernet(keys)
        self._link_keys = [_derived(text, _LINKS) for text in secrets]

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

    def resealed(self, sealed: bytes) -> bytes | None:
        """The same credentials under the newest secret; None when they are already. Raises as `open`."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None

    def link_token(self, subject: str) -> str:
        """A token for a public link about ``subject`` that nobody can guess."""
        return _link_token(self._link_keys[0], subject)

    def link_fits(self, subject: str, token: str) -> bool:
        """Whether `link_token` made this token for the subject, under this secret or an earlier one: mails are old."""
        given = token.encode()
        return any(hmac.compare_digest(_link_token(key, subject).encode(), given) for key in self._link_keys)


def _link_token(key: bytes, subject: str) -> str:
    return hmac.new(key, subject.encode(), sha256).hexdigest()[:40]
