"""What is derived from the master secret, and how secrets that we only compare are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from common.sealing import derived_key


def keyed_digest(secret: str, purpose: str, *parts: bytes) -> bytes:
    """A digest that cannot be guessed at without the master secret; ``parts`` are kept apart."""
    digest = hmac.new(derived_key(secret, f"deskledger members {purpose}"), digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def new_token(prefix: str) -> str:
    """A random secret of 256 bits that shows by its prefix what it is."""
    return prefix + secrets.token_urlsafe(32)


def next_token(prefix: str, token: str, secret: str) -> str:
    """The successor of a token: always the same one, and unknown to everybody who lacks the master secret."""
    return prefix + base64.urlsafe_b64encode(keyed_digest(secret, "next token", token.encode())).decode().rstrip("=")


def token_hash(token: str) -> bytes:
    """How random secrets are stored: with 256 bits of their own they need neither salt nor slowness."""
    return hashlib.sha256(token.encode()).digest()
