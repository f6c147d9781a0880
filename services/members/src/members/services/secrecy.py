"""What is derived from the master secret, and how secrets that we only compare are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose; other purposes' keys tell nothing about it."""
    return HKDF(SHA256(), 32, salt=None, info=f"deskledger members {purpose}".encode()).derive(secret.encode())


def cipher(secret: str, purpose: str) -> Fernet:
    """Encryption with a key of one purpose."""
    return Fernet(base64.urlsafe_b64encode(derive_key(secret, purpose)))


def keyed_digest(secret: str, purpose: str, *parts: bytes) -> bytes:
    """A digest that cannot be guessed at without the master secret; ``parts`` are kept apart."""
    digest = hmac.new(derive_key(secret, purpose), digestmod=hashlib.sha256)
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
