"""The key pairs that sign access tokens: the first one, rotation, and the public halves.

A new key is published before it is used, and an old one stays valid until the last token that it signed has run out:
a service checks every token with its own copies, so a rotation is never noticed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from secrets import token_hex
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func, or_, select, text

from common.config import ConfigurationError
from common.db import Database, TenantSession
from common.messaging import outbox
from common.sealing import ForeignSecretError, Seal
from common.tenancy import store_signing_keys
from members.messages.publishes import signing_keys_changed
from members.models import TokenKey

# The key set is one aggregate of no organisation; its version is the number of keys ever made.
KEY_SET_ID = UUID("0192f0c8-0000-7000-8000-6b6579736574")
# Not the relay's number: that one is held in this database for as long as a worker runs.
_KEY_SET_LOCK = 727003
_PURPOSE = "deskledger members signing keys"
# The installation's secrets: the first seals private keys, earlier ones still open what they sealed.
Secrets = tuple[str, ...]


def ensure_first_key(database: Database, secrets: Secrets) -> None:
    """Make the first key pair unless there is one; several processes may call this at once.

    Private keys are sealed anew when the installation's secret was changed. Raises ConfigurationError when the key that
    signs was sealed with a secret that is not among them.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        if session.scalar(select(func.count()).select_from(TokenKey)):
            _check_secret(session, secrets)
            _seal_anew(session, secrets)
        else:
            _add_key(session, secrets, use_in=timedelta())
            _announce(session)
        session.commit()


def rotate_keys(database: Database, secrets: Secrets, *, use_in: timedelta, lifetime: timedelta) -> str:
    """Publish a new key that is used after ``use_in``; returns its kid.

    The others end when the last token they signed has run out: ``lifetime`` later.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        key = _add_key(session, secrets, use_in=use_in)
        others = select(TokenKey).where(TokenKey.kid != key.kid, TokenKey.not_after.is_(None))
        for other in session.scalars(others):
            other.not_after = key.use_from + lifetime + timedelta(minutes=1)
        _announce(session)
        session.commit()
        return key.kid


def revoke_keys(database: Database, secrets: Secrets) -> str:
    """After a leak: end every key now and sign with a new one; returns its kid. All access tokens end with them.

    Services notice within half a minute; refresh tokens and API keys are not signed and go on.
    """
    with database.system_session() as session:
        _lock_key_set(session)
        key, now = _add_key(session, secrets, use_in=timedelta()), session.clock.now()
        for other in session.scalars(select(TokenKey).where(TokenKey.kid != key.kid)):
            other.not_after = now if other.not_after is None else min(other.not_after, now)
        _announce(session)
        session.commit()
        return key.kid


def current_key(session: TenantSession, secrets: Secrets) -> tuple[str, Ed25519PrivateKey]:
    """The (kid, private key) that signs now: of the keys whose time has come, the one made last.

    Raises ForeignSecretError.
    """
    usable = select(TokenKey).where(TokenKey.use_from <= session.clock.now())
    key = session.scalars(usable.order_by(TokenKey.created_at.desc(), TokenKey.kid).limit(1)).one()
    return key.kid, _decrypt(secrets, key.private_key)


def key_set(session: TenantSession) -> dict[str, Any]:
    """The public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {"keys": [_jwk(key) for key in _valid_keys(session)]}


def _lock_key_set(session: TenantSession) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY_SET_LOCK})


def _check_secret(session: TenantSession, secrets: Secrets) -> None:
    try:
        current_key(session, secrets)
    except ForeignSecretError as error:
        raise ConfigurationError(
            "cannot start: the signing keys were sealed with another DESKLEDGER_SECRET; set that one, "
            "or name it in DESKLEDGER_PREVIOUS_SECRETS"
        ) from error


def _seal_anew(session: TenantSession, secrets: Secrets) -> None:
    """Under the newest secret, so that earlier ones can be forgotten; keys that nothing opens sign no more anyway."""
    seal = Seal(secrets, _PURPOSE)
    for key in session.scalars(select(TokenKey)):
        with suppress(ForeignSecretError):
            key.private_key = seal.resealed(key.private_key) or key.private_key


def _add_key(session: TenantSession, secrets: Secrets, *, use_in: timedelta) -> TokenKey:
    private, now = Ed25519PrivateKey.generate(), session.clock.now()
    raw = private.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    key = TokenKey(
        kid=token_hex(8),
        private_key=Seal(secrets, _PURPOSE).seal(raw),
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
def _decrypt(secrets: Secrets, private_key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(Seal(secrets, _PURPOSE).open(private_key))


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
