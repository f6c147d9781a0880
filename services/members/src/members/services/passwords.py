"""Passwords: argon2id with the least costs that OWASP recommends (19 MiB, two passes)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Compared with when nobody has the e-mail address, so that the answer takes as long as for somebody.
_NOBODY = _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    """The argon2id hash with its salt and parameters; takes some 20 ms, so call it outside of transactions."""
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether a password is the right one; takes the same time without a hash."""
    try:
        right = _hasher.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def needs_new_hash(password_hash: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
