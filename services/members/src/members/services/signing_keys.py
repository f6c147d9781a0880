"""The key pairs that sign access tokens: the first one, rotation, and the public halves.

A new key is published before it is used, and an old one stays valid until the last token that it signed has run out:
a service checks every token with its own copies, so a rotation is never noticed.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func, or_, select, text

from common.config import ConfigurationError
from common.db import Database, TenantSession
from common.messaging import outbox
from common.tenancy import store_signing_keys
from members.messages.publishes import signing_keys_changed
from members.models import TokenKey
from members.services.secrecy import cipher

# The key set is one aggregate of no organisation; its version is the number of keys ever made.
KEY_SET_ID = UUID("0192f0c8-0000-7000-8000-6b6579736574")
# Not the relay's number: that one is held in this database for as long as a worker runs.
_KEY_SET_LOCK = 727003
_PURPOSE = "signing keys"


def ensure_first_key(database: Database, secret: str) -> None:
    """Make the first key pair unless there is one; several processes may call this at once.

    Raises ConfigurationError when the stored keys were encrypted with another master secret.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        if session.scalar(select(func.count()).select_from(TokenKey)):
            _check_secret(session, secret)
            return
        _add_key(session, secret, use_in=timedelta())
        _announce(session)
        session.commit()


def rotate_keys(database: Database, secret: str, *, use_in: timedelta, lifetime: timedelta) -> str:
    """Publish a new key that is used after ``use_in``; returns its kid.

    The others end when the last token they signed has run out: ``lifetime`` later.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        key = _add_key(session, secret, use_in=use_in)
        others = select(TokenKey).where(TokenKey.kid != key.kid, TokenKey.not_after.is_(None))
        for other in session.scalars(others):
            other.not_after = key.use_from + lifetime + timedelta(minutes=1)
        _announce(session)
        session.commit()
        return key.kid


def revoke_keys(database: Database, secret: str) -> str:
    """After a leak: end every key now and sign with a new one; returns its kid. All access tokens end with them.

    Services notice within half a minute; refresh tokens and API keys are not signed and go on.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        key, now = _add_key(session, secret, use_in=timedelta()), session.clock.now()
        for other in session.scalars(select(TokenKey).where(TokenKey.kid != key.kid)):
            other.not_after = now if other.not_after is None else min(other.not_after, now)
        _announce(session)
        session.commit()
        return key.kid


def current_key(session: TenantSession, secret: str) -> tuple[str, Ed25519PrivateKey]:
    """The (kid, private key) that signs now: of the keys whose time has come, the one made last."""
    usable = select(TokenKey).where(TokenKey.use_from <= session.clock.now())
    key = session.scalars(usable.order_by(TokenKey.created_at.desc(), TokenKey.kid).limit(1)).one()
    return key.kid, _decrypt(secret, key.private_key)


def key_set(session: TenantSession) -> dict[str, Any]:
    """The public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {"keys": [_jwk(key) for key in _valid_keys(session)]}


def _lock_key_set(session: TenantSession) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY_SET_LOCK})


def _check_secret(session: TenantSession, secret: str) -> None:
    try:
        current_key(session, secret)
    except InvalidToken as error:
        raise ConfigurationError(
            "cannot start: the signing keys were encrypted with another DESKLEDGER_SECRET; set the one used before"
        ) from error


def _add_key(session: TenantSession, secret: str, *, use_in: timedelta) -> TokenKey:
    private, now = Ed25519PrivateKey.generate(), session.clock.now()
    raw = private.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    key = TokenKey(
        kid=secrets.token_hex(8),
        private_key=cipher(secret, _PURPOSE).encrypt(raw),
        public_key=_pem(private.public_key()),
        created_at=now,
        use_from=now + use_in,
    )
    session.add(key)
    session.flush()
    return key


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=8)
def _decrypt(secret: str, private_key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(cipher(secret, _PURPOSE).decrypt(private_key))


def _valid_keys(session: TenantSession) -> Sequence[TokenKey]:
    valid = or_(TokenKey.not_after.is_(None), TokenKey.not_after > session.clock.now())
    return session.scalars(select(TokenKey).where(valid).order_by(TokenKey.created_at, TokenKey.kid)).all()


def _announce(session: TenantSession) -> None:
    """Into our own table of public keys, and to everybody, in this transaction; ended keys too, with their end."""
    session.flush()
    message = signing_keys_changed(session.scalars(select(TokenKey).order_by(TokenKey.created_at, TokenKey.kid)).all())
    store_signing_keys(session, [msgspec.structs.asdict(key) for key in message.keys])
    version = session.scalar(select(func.count()).select_from(TokenKey)) or 0
    outbox.add(session, message, aggregate_id=KEY_SET_ID, aggregate_version=version, organization_id=None)


def _jwk(key: TokenKey) -> dict[str, str]:
    public = serialization.load_pem_public_key(key.public_key.encode())
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.kid, "use": "sig", "alg": "EdDSA"}
