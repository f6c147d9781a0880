"""Ids of checkouts: everything needed to find one again, sealed so that nobody can read, make or guess one.

The gateway keeps no state. The id carries the organisation, the guest's member and the checkout under which the
services keep what was bought. Sealing is deterministic (AES-SIV): repeating a request gives the same id.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from common.errors import NotFoundError

_PREFIX = "chk_"
_PURPOSE = b"deskledger storefront checkout"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a checkout is: ``checkout_id`` marks its bookings, invoices and payments."""

    organization_id: UUID
    member_id: UUID
    checkout_id: UUID
    currency: str

    def key(self, part: str) -> str:
        """The idempotency key of one of its calls: the same whenever the request is repeated."""
        return hashlib.sha256(f"{self.checkout_id.hex}:{part}".encode()).hexdigest()


class CheckoutSeal:
    """Seals ids with a key made of the internal token, so that all gateway processes open each other's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha512(_PURPOSE + secret.encode()).digest()
        self._cipher = AESSIV(self._key)

    def checkout_id(self, organization_id: UUID, email: str, idempotency_key: str) -> UUID:
        """The same for a repeated request, and unknown to everybody who does not hold the secret."""
        message = "\n".join((str(organization_id), email.lower(), idempotency_key)).encode()
        return UUID(bytes=hmac.digest(self._key, message, "sha256")[:16], version=5)

    def seal(self, slug: str, checkout: Checkout) -> str:
        """The public id; it opens under the same storefront only."""
        ids = (checkout.organization_id, checkout.member_id, checkout.checkout_id)
        content = b"".join(each.bytes for each in ids) + checkout.currency.encode()
        return _PREFIX + self._cipher.encrypt(content, [slug.encode()]).hex()

    def open(self, slug: str, text: str) -> Checkout:
        """What a public id stands for. Raises NotFoundError for anything that was not sealed here."""
        try:
            content = self._cipher.decrypt(bytes.fromhex(text.removeprefix(_PREFIX)), [slug.encode()])
        except (ValueError, InvalidTag) as error:
            raise NotFoundError("checkout_not_found", "there is no such checkout") from error
        ids = [UUID(bytes=content[start : start + 16]) for start in (0, 16, 32)]
        return Checkout(ids[0], ids[1], ids[2], content[48:].decode())
