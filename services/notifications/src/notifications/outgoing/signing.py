"""The signature of a webhook: receivers check it, and its time, before they believe the body."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Deskledger-Signature"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """``t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">``."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"
