"""Access tokens and refresh tokens: issue, rotate, revoke.

Every refresh token works once. If one comes back a second time, it was copied: the whole sign-in is revoked, for the
thief and for the owner, who then signs in again. Only within a moment it gets the same successor again: a browser that
loads two pages at once sends the same token to two processes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from sqlalchemy import delete, select, update

from common.auth import AUDIENCE, ISSUER
from common.db import TenantSession
from common.errors import UnauthenticatedError
from common.telemetry import current_trace
from members.config import MembersSettings
from members.models import RefreshToken, SignIn
from members.services.secrecy import new_token, next_token, token_hash
from members.services.signing_keys import current_key
from members.services.subjects import Person, claims_of, find_person

# How long a used refresh token still gets its successor.
REPEAT_TIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What somebody who signed in gets; ``expires_in`` in seconds, no refresh token for API keys."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's word, no secret


def issue_access_token(
    session: TenantSession, settings: MembersSettings, claims: dict[str, Any], *, until: datetime | None = None
) -> Tokens:
    """Sign an access token of the session's organisation with the person's or key's claims.

    It ends ``until`` then at the latest: no token outlives the key that it was exchanged for.
    """
    kid, key = current_key(session, settings.secrets)
    now = session.clock.now()
    ends = now + timedelta(seconds=settings.access_token_seconds)
    ends = ends if until is None else min(ends, until)
    standard = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": ends,
        "jti": secrets.token_hex(16),
        "org": str(session.organization_id),
        "slug": session.organization.slug,
    }
    token = jwt.encode({**claims, **standard}, key, algorithm="EdDSA", headers={"kid": kid})
    return Tokens(access_token=token, expires_in=int((ends - now).total_seconds()))


def start_sign_in(session: TenantSession, settings: MembersSettings, person: Person) -> Tokens:
    """Let an identified person in: a new family of refresh tokens and the first access token."""
    now = session.clock.now()
    person.last_sign_in_at = now
    _forget_expired(session, person.subject)
    sign_in = SignIn(subject=person.subject, address=current_trace().address, created_at=now)
    session.add(sign_in)
    session.flush()
    return _issue_pair(session, settings, person, sign_in, new_token("rt_"))


def refresh(session: TenantSession, settings: MembersSettings, refresh_token: str) -> Tokens:
    """Exchange a refresh token for a new pair, with the person's present roles.

    The same exchange repeated within ``REPEAT_TIME`` gives the same refresh token. Raises UnauthenticatedError for an
    unknown, expired or revoked one, and for one used earlier, which revokes its sign-in. The session must be of all
    organisations; it is bound to the token's.
    """
    token, sign_in = _find(session, refresh_token)
    successor = next_token("rt_", refresh_token, settings.secret)
    person = find_person(session, sign_in.subject)
    if sign_in.revoked_at is not None or person is None:
        raise _refused("refresh_token_invalid", "this refresh token is no longer valid; sign in again")
    if token.used_at is not None:
        if not _is_repeated(session, token, successor):
            _revoke(session, sign_in, "reuse")
            # The refusal must not undo the revocation.
            session.commit()
            raise _refused("refresh_token_reused", "this refresh token was used before; sign in again")
        access = issue_access_token(session, settings, claims_of(person))
        return Tokens(access.access_token, access.expires_in, successor)
    if token.expires_at <= session.clock.now():
        raise _refused("refresh_token_invalid", "this refresh token is no longer valid; sign in again")
    token.used_at = session.clock.now()
    _forget_expired_tokens(session, sign_in)
    return _issue_pair(session, settings, person, sign_in, successor)


def revoke(session: TenantSession, refresh_token: str) -> None:
    """Sign out: end the refresh token's whole sign-in. An unknown token is no fault (RFC 7009)."""
    try:
        _, sign_in = _find(session, refresh_token)
    except UnauthenticatedError:
        return
    if sign_in.revoked_at is None:
        _revoke(session, sign_in, "signed_out")


def revoke_all(session: TenantSession, subject: str, because: str) -> None:
    """End every sign-in of a person: after a new password, a deactivation, an erasure."""
    session.execute(
        update(SignIn)
        .where(SignIn.subject == subject, SignIn.revoked_at.is_(None))
        .values(revoked_at=session.clock.now(), revoked_because=because)
    )


def _find(session: TenantSession, refresh_token: str) -> tuple[RefreshToken, SignIn]:
    """The token and its sign-in; both locked, the sign-in first, so that two refreshes come one after the other."""
    row = session.execute(
        select(RefreshToken.organization_id, RefreshToken.sign_in_id, RefreshToken.id).where(
            RefreshToken.token_hash == token_hash(refresh_token)
        )
    ).one_or_none()
    if row is None:
        raise _refused("refresh_token_invalid", "this refresh token is no longer valid; sign in again")
    session.bind_organization(row.organization_id)
    sign_in = session.scalars(select(SignIn).where(SignIn.id == row.sign_in_id).with_for_update()).one()
    token = session.scalars(select(RefreshToken).where(RefreshToken.id == row.id).with_for_update()).one()
    return token, sign_in


def _revoke(session: TenantSession, sign_in: SignIn, because: str) -> None:
    sign_in.revoked_at = session.clock.now()
    sign_in.revoked_because = because


def _is_repeated(session: TenantSession, token: RefreshToken, successor: str) -> bool:
    """Whether a used token was used a moment ago, and nobody has gone on with its successor yet."""
    if token.used_at is None or session.clock.now() - token.used_at > REPEAT_TIME:
        return False
    unused = select(RefreshToken.id).where(
        RefreshToken.token_hash == token_hash(successor), RefreshToken.used_at.is_(None)
    )
    return session.scalar(unused) is not None


def _issue_pair(
    session: TenantSession, settings: MembersSettings, person: Person, sign_in: SignIn, refresh_token: str
) -> Tokens:
    session.add(
        RefreshToken(
            sign_in_id=sign_in.id,
            token_hash=token_hash(refresh_token),
            expires_at=session.clock.now() + timedelta(seconds=settings.refresh_token_seconds),
        )
    )
    session.flush()
    access = issue_access_token(session, settings, claims_of(person))
    return Tokens(access.access_token, access.expires_in, refresh_token)


def _forget_expired(session: TenantSession, subject: str) -> None:
    """Drop a person's sign-ins of which nothing works any more."""
    alive = select(RefreshToken.sign_in_id).where(RefreshToken.expires_at > session.clock.now())
    session.execute(
        delete(SignIn).where(SignIn.subject == subject, SignIn.id.not_in(alive)),
        execution_options={"synchronize_session": False},
    )


def _forget_expired_tokens(session: TenantSession, sign_in: SignIn) -> None:
    """Who never signs out leaves a used token behind every quarter of an hour; what has expired proves nothing more."""
    expired = (RefreshToken.sign_in_id == sign_in.id) & (RefreshToken.expires_at <= session.clock.now())
    session.execute(delete(RefreshToken).where(expired), execution_options={"synchronize_session": False})


def _refused(code: str, detail: str) -> UnauthenticatedError:
    return UnauthenticatedError(code, detail, headers={"WWW-Authenticate": 'Bearer realm="deskledger"'})
