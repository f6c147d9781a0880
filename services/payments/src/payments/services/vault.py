"""Secrets at rest: providers' credentials encrypted with a key derived from the service's secret (PAY-6)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256

from common.errors import UnavailableError
from common.sealing import ForeignSecretError, Seal, derived_key

_CREDENTIALS = "deskledger payments: credentials"
_LINKS = "deskledger payments: links"


class Vault:
    """Seals and opens credentials. Of ``secrets`` the first seals, the others still open what they sealed."""

    def __init__(self, *secrets: str) -> None:
        self._seal = Seal(secrets, _CREDENTIALS)
        self._link_keys = [derived_key(text, _LINKS) for text in secrets]

    def seal(self, credentials: Mapping[str, str]) -> bytes:
        """Encrypt credentials."""
        return self._seal.seal(json.dumps(dict(credentials)).encode())

    def open(self, sealed: bytes | None) -> dict[str, str]:
        """Decrypt credentials; none were needed where none are stored. Raises UnavailableError for a foreign secret."""
        if sealed is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._seal.open(sealed))
        except ForeignSecretError as error:
            raise _unreadable() from error
        return opened

    def resealed(self, sealed: bytes) -> bytes | None:
        """The same credentials under the newest secret; None when they are already. Raises as `open`."""
        try:
            return self._seal.resealed(sealed)
        except ForeignSecretError as error:
            raise _unreadable() from error

    def link_token(self, subject: str) -> str:
        """A token for a public link about ``subject`` that nobody can guess."""
        return _link_token(self._link_keys[0], subject)

    def link_fits(self, subject: str, token: str) -> bool:
        """Whether `link_token` made this token for the subject, under this secret or an earlier one: mails are old."""
        given = token.encode()
        return any(hmac.compare_digest(_link_token(key, subject).encode(), given) for key in self._link_keys)


def _unreadable() -> UnavailableError:
    return UnavailableError(
        "gateway_credentials_unreadable", "the credentials were sealed with another DESKLEDGER_SECRET"
    )


def _link_token(key: bytes, subject: str) -> str:
    return hmac.new(key, subject.encode(), sha256).hexdigest()[:40]
